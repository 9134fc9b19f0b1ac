"""What the catalogue says of the hardware that regions are made of."""

from __future__ import annotations

from functools import cache

import pytest

from components.spec.catalogue import Catalogue, Endpoint, RackProfile, load_catalogue
from components.spec.catalogue.derive import elevation, oob_addresses, oob_ports, planned_kw, port_name
from components.spec.catalogue.facts import evidence_for, facts
from lab.fleet.hardware import HARDWARE
from tests.regions import REGIONS, ROOT


@cache
def catalogue() -> Catalogue:
    return load_catalogue(REGIONS / "_catalogue", root=ROOT)


def rack(name: str) -> RackProfile:
    profile = catalogue().rack(name)
    assert profile is not None, f"the catalogue has no rack {name}"
    return profile


def test_the_catalogue_has_all_hardware_of_the_regions() -> None:
    assert {r.profile for r in catalogue().racks} == {
        "gb200-nvl72",
        "gb300-nvl72",
        "vera-rubin-nvl72",
        "dgx-h200",
        "dgx-b200",
        "l4-edge-server",
        "control-server",
        "nspawn-rack",
        "nspawn-rack-large",
    }
    assert {s.switch for s in catalogue().switches} == {"qm9700", "q3400", "sn5600", "sn2201", "frr-nspawn"}


def test_every_number_of_real_hardware_has_evidence_and_every_source_is_listed() -> None:
    for _, _, item in catalogue().items():
        for fact in facts(item):
            evidence = evidence_for(item, fact.path)
            assert item.simulated or evidence is not None, f"{item.name}.{fact.path}"
            assert evidence is None or set(evidence.sources) <= catalogue().sources.keys()


@pytest.mark.parametrize(
    ("path", "confidence"),
    [("tray.ports.pci", "V"), ("tray.ports.rail", "D"), ("slots", "V"), ("power.planned_kw", "K"), ("weight_kg", "V")],
)
def test_the_evidence_nearest_to_a_field_counts(path: str, confidence: str) -> None:
    evidence = evidence_for(rack("gb200-nvl72"), path)
    assert evidence is not None
    assert evidence.confidence == confidence


@pytest.mark.parametrize("name", ["gb200-nvl72", "gb300-nvl72", "vera-rubin-nvl72"])
def test_an_nvl72_rack_is_one_domain_of_72_gpus(name: str) -> None:
    profile = rack(name)
    assert profile.gpus == 72
    assert profile.nvlink is not None
    assert profile.nvlink.switch_trays * profile.nvlink.asics_per_tray == 18
    assert profile.slots * profile.tray.superchips == 36


def test_eight_shelves_of_33_kw_feed_a_rack() -> None:
    shelf = catalogue().power_unit("power-shelf-33kw")
    fitted = rack("gb200-nvl72").power_shelves
    assert shelf is not None
    assert fitted is not None
    assert fitted.count * shelf.kw == 264


def test_a_gb200_rack_needs_127_out_of_band_addresses_on_89_ports() -> None:
    count = oob_addresses(rack("gb200-nvl72"))
    assert (count.tray_bmcs, count.dpu_bmcs, count.dpu_hosts) == (18, 36, 36)
    assert (count.nvlink_processors, count.power_shelves, count.switches) == (27, 8, 2)
    assert count.total == 127
    assert oob_ports(rack("gb200-nvl72")) == 89


@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        ("gb300-nvl72", 18 * 3 + 27 + 8 + 2),
        ("dgx-h200", 4 * 2 + 2 + 1),
        ("dgx-b200", 2 * (2 + 4) + 2 + 1),
        ("control-server", 16 * 2 + 2 + 1),
        ("nspawn-rack", 4 * 2),
    ],
)
def test_out_of_band_addresses_are_the_sum_over_what_is_built_in(name: str, addresses: int) -> None:
    assert oob_addresses(rack(name)).total == addresses


def test_the_port_map_of_a_gb200_tray_is_the_published_one() -> None:
    assert [(p.device, p.pci, p.role, p.rail) for p in rack("gb200-nvl72").tray.ports] == [
        ("mlx5_0", "0000:03:00.0", "compute", 0),
        ("mlx5_1", "0002:03:00.0", "compute", 1),
        ("mlx5_4", "0010:03:00.0", "compute", 2),
        ("mlx5_5", "0012:03:00.0", "compute", 3),
        ("mlx5_2", "0006:03:00.0", "inband", None),
        ("mlx5_3", "0006:03:00.1", "inband", None),
        ("mlx5_6", "0016:03:00.0", "inband", None),
        ("mlx5_7", "0016:03:00.1", "inband", None),
    ]


def test_interfaces_are_named_by_their_pci_addresses() -> None:
    for port in rack("gb200-nvl72").tray.ports:
        if port.interface and port.pci:
            domain, bus, rest = port.pci.split(":")
            slot, function = rest.split(".")
            numbers = [int(part, 16) for part in (domain, bus, slot, function)]
            expected = "enP{}p{}s{}f{}np{}".format(*numbers, numbers[3])
            assert port.interface == expected


@pytest.mark.parametrize(
    ("name", "uplinks"), [("gb200-nvl72", 4), ("gb300-nvl72", 2), ("dgx-h200", 2), ("nspawn-rack", 2)]
)
def test_uplinks_are_the_interfaces_that_are_not_out_of_band(name: str, uplinks: int) -> None:
    assert len(rack(name).tray.uplinks) == uplinks


def test_the_rails_of_a_server_with_eight_gpus_are_eight() -> None:
    assert [port.rail for port in rack("dgx-h200").tray.rails] == list(range(8))


def test_the_drawing_of_a_rack_shows_each_tray_once_from_the_floor_up() -> None:
    places = elevation(rack("gb200-nvl72"))
    trays = [place for place in places if place.what == "compute"]
    assert [place.number for place in trays] == list(range(1, 19))
    assert [place.unit for place in trays] == sorted(place.unit for place in trays)
    assert len(places) == 18 + 9 + 8 + 2


def test_servers_draw_by_the_piece_and_nvl72_racks_as_a_whole() -> None:
    assert planned_kw(rack("dgx-b200"), 1) == 14.3
    assert planned_kw(rack("gb300-nvl72"), 16) == 142
    assert planned_kw(rack("nspawn-rack"), 4) == 0.2


def test_the_literal_reading_of_18_000_superchips_does_not_fit_40_mw() -> None:
    profile = rack("gb200-nvl72")
    assert profile.power is not None
    assert profile.power.nameplate_kw is not None
    racks = 18_000 / (profile.slots * profile.tray.superchips)
    assert racks == 500
    assert racks * profile.power.nameplate_kw == 75_000
    assert 250 * profile.gpus == 18_000
    assert 250 * profile.power.nameplate_kw == 37_500


def test_the_tested_gb300_baseline_is_exact_and_complete() -> None:
    baseline = catalogue().baseline("dgx-gb300-1-0-6")
    assert baseline is not None
    assert baseline.is_known
    assert dict(baseline.parts) == {
        "bmc": "GB200Nvl-25.08-9",
        "hmc": "GB200Nvl-25.08-B",
        "gpu": "97.10.4A.00.1F",
        "sbios": "02.05.06",
        "erot": "01.04.0031",
        "nvos": "25.02.4317",
        "bf3_bfb": "3.2.1-42",
    }


def test_the_bundle_of_gb200_names_every_component_that_can_be_pushed() -> None:
    baseline = catalogue().baseline("dgx-gb200")
    assert baseline is not None
    left_alone = {"FW_CPLD_0"}
    for kind, hardware in HARDWARE.items():
        pushable = {c.id for c in hardware.components if c.identifier is not None}
        assert baseline.versions(Endpoint(kind.value)).keys() == pushable - left_alone
    assert baseline.versions(Endpoint.NVLINK_SWITCH)["NVOS"] == "25.02.2445"


def test_a_baseline_without_versions_is_never_flashed() -> None:
    for name in ("dgx-h200", "dgx-b200"):
        baseline = catalogue().baseline(name)
        assert baseline is not None
        assert not baseline.is_known


@pytest.mark.parametrize(
    ("os", "arch", "architecture", "sets"),
    [
        ("ubuntu-2404", "aarch64", "blackwell", ["grace-ubuntu-2404"]),
        ("ubuntu-2404", "aarch64", "blackwell-ultra", ["grace-ubuntu-2404"]),
        ("dgx-os-740", "aarch64", "blackwell-ultra", ["gb300-dgx-os-7-4-0"]),
        ("ubuntu-2404", "x86_64", "hopper", ["hgx-ubuntu-2404"]),
        ("ubuntu-2404", "x86_64", "ada", ["l4-ubuntu-2404"]),
        ("ubuntu-2404", "x86_64", None, ["hgx-ubuntu-2404", "l4-ubuntu-2404"]),
        ("debian-12", "x86_64", "simulated", ["lab-debian-12"]),
        ("debian-12", "aarch64", "blackwell", []),
    ],
)
def test_software_is_found_by_system_architecture_and_gpus(
    os: str, arch: str, architecture: str | None, sets: list[str]
) -> None:
    found = catalogue().software_for(os=os, arch=arch, gpu_architecture=architecture)
    assert [each.software for each in found] == sets


def test_software_of_another_driver_is_not_found() -> None:
    assert catalogue().software_for(os="ubuntu-2404", arch="x86_64", driver="570.1.1") == ()


def test_a_range_of_kubernetes_holds_both_ends_and_any_patch() -> None:
    software = catalogue().software_set("lab-debian-12")
    assert software is not None
    assert [software.kubernetes.holds(v) for v in ("1.33.9", "1.34", "1.36.3", "1.37.0")] == [False, True, True, False]


def test_a_latency_is_the_same_in_both_directions() -> None:
    there, back = catalogue().latency("paris", "singapore"), catalogue().latency("singapore", "paris")
    assert there is not None
    assert there is back
    assert there.planning_ms == 170
    assert catalogue().latency("paris", "atlantis") is None


def test_floors_are_light_in_fibre_there_and_back() -> None:
    for each in catalogue().latencies:
        if each.distance_km is not None and each.floor_ms is not None:
            assert each.floor_ms == pytest.approx(2 * each.distance_km / 204.190, abs=0.6)


@pytest.mark.parametrize(
    ("switch", "port", "lane", "name"),
    [
        ("sn5600", 1, None, "swp1"),
        ("sn5600", 64, 3, "swp64s3"),
        ("qm9700", 1, None, "IB1/1/1"),
        ("qm9700", 64, None, "IB1/32/2"),
        ("q3400", 144, None, "sw72p2"),
        ("sn2201", 52, None, "swp52"),
    ],
)
def test_ports_have_the_names_of_the_switchs_system(switch: str, port: int, lane: int | None, name: str) -> None:
    profile = catalogue().switch(switch)
    assert profile is not None
    assert port_name(profile, port, lane) == name


@pytest.mark.parametrize(("port", "lane", "says"), [(53, None, "ports 1 to 52, not 53"), (1, 0, "cannot be split")])
def test_a_port_that_a_switch_has_not_has_no_name(port: int, lane: int | None, says: str) -> None:
    profile = catalogue().switch("sn2201")
    assert profile is not None
    with pytest.raises(ValueError, match=says):
        port_name(profile, port, lane)


def test_what_is_not_yet_delivered_is_provisional() -> None:
    assert [item.name for _, _, item in catalogue().items() if item.provisional] == [
        "vera-rubin-nvl72",
        "vera-ubuntu-2404",
    ]
