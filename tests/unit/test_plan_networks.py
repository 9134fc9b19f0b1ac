"""Networks of the regions: their numbers are those of the references, every port holds one end of one cable."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import pairwise

import pytest

from components.plan import RegionPlan
from components.plan.networks.discovered import compare, planned_links
from components.plan.networks.model import ComputePlan, ComputeSwitch, Network, NetworkCable, Tier
from components.plan.renders import RENDERS
from components.plan.renders.infiniband import guid_files, roots
from components.spec.catalogue.derive import oob_addresses, oob_ports
from components.spec.oob_layout import OobKind, items_of
from tests.networks import compute_of, described, plan_of, region_of

REGIONS = ("essonne", "essonne-as-built", "sweden", "paris", "singapore", "tokyo", "lab")


@pytest.fixture(scope="module")
def planned() -> Callable[[str], RegionPlan]:
    """Plan of a region, made once."""
    plans: dict[str, RegionPlan] = {}

    def plan(name: str) -> RegionPlan:
        if name not in plans:
            plans[name] = plan_of(described(name))
        return plans[name]

    return plan


def tiers(compute: ComputePlan, island: int | None = None) -> tuple[int, int, int]:
    """How many leaves, spines and cores."""
    count = Counter(switch.tier for switch in compute.switches if island in (None, switch.island))
    return count[Tier.LEAF], count[Tier.SPINE], count[Tier.CORE]


@pytest.mark.parametrize(
    ("units", "switches"),
    [(1, (32, 24, 0)), (2, (64, 48, 18)), (4, (128, 96, 36)), (8, (256, 192, 72)), (16, (512, 384, 144))],
)
def test_three_tiers_have_the_switches_of_the_reference(units: int, switches: tuple[int, int, int]) -> None:
    """RA-11338-001, for islands that are built for as many units as they have."""
    compute = compute_of(plan_of(region_of("essonne", range(1, 8 * units + 1), units)))
    assert tiers(compute) == switches


@pytest.mark.parametrize(
    ("units", "switches"), [(1, (8, 4)), (2, (16, 8)), (4, (32, 18)), (8, (64, 36)), (18, (144, 72))]
)
def test_two_tiers_have_the_switches_of_the_reference(units: int, switches: tuple[int, int]) -> None:
    plan = plan_of(region_of("essonne-as-built", range(1, 8 * units + 1), units))
    assert tiers(compute_of(plan)) == (*switches, 0)
    if units == 18:
        between = [c for c in plan.networks.cables if c.network is Network.COMPUTE and "-leaf" in c.a_device]
        assert len(between) == 10_368


def test_a_network_that_grows_has_the_cores_of_the_whole_island() -> None:
    """The reference's smaller tables are of networks that end there. Ours grow, so cores are built at once."""
    assert tiers(compute_of(plan_of(region_of("essonne", range(1, 17))))) == (64, 48, 144)


def test_250_racks_are_two_islands_of_16_units(planned: Callable[[str], RegionPlan]) -> None:
    """250 racks are 31.25 units; the last is built whole, so the switches are those of two full islands."""
    compute = compute_of(planned("essonne"))
    assert (len(compute.racks), len(compute.units), compute.islands) == (250, 32, (1, 2))
    assert tiers(compute) == (1024, 768, 288)
    assert tiers(compute, 1) == tiers(compute, 2) == (512, 384, 144)
    count = Counter(
        "down"
        if cable.b_device.endswith(tuple(f"-leaf{n}" for n in range(1, 9)))
        else cable.b_device.split("-")[-1][:4]
        for cable in planned("essonne").networks.cables
        if cable.network is Network.COMPUTE
    )
    # 576 of each in a unit; 6 racks of the last are not there.
    assert count == {"down": 250 * 72, "spin": 32 * 576, "core": 32 * 576}


def test_250_racks_have_127_addresses_each_and_502_switches_to_gather() -> None:
    oob = plan_of(region_of("essonne", range(1, 251))).networks.oob
    racks = Counter(endpoint.rack for endpoint in oob.endpoints if endpoint.rack.startswith("ess-r"))
    assert set(racks.values()) == {127}
    bmcs = {OobKind.TRAY_BMC, OobKind.DPU_BMC, OobKind.NVLINK_BMC, OobKind.POWER_SHELF}
    assert sum(e.kind in bmcs for e in oob.endpoints if e.rack.startswith("ess-r")) == 17_750
    assert Counter(switch.role for switch in oob.switches) == {
        "aggregation": 12,
        "rack": 503,
        "access": 72,
        "gathering": 2,
    }


def test_every_infiniband_switch_is_managed_by_its_own_unit_or_island(planned: Callable[[str], RegionPlan]) -> None:
    """2,080 in Essonne: 56 of each of 32 units, and 144 cores of each of two islands."""
    plan = planned("essonne")
    assert plan.networks.compute is not None
    managed = {each.device: each for each in plan.networks.oob.endpoints if each.kind is OobKind.COMPUTE_SWITCH}
    assert len(managed) == 2080
    for switch in plan.networks.compute.switches:
        where = f"u{switch.unit:02d}" if switch.unit else f"i{switch.island}"
        assert managed[switch.name].switch.startswith(f"essonne-ib-{where}-oob"), switch.name
    assert managed["essonne-ib-u01-rail0-leaf1"].address == "10.96.16.1"
    assert managed["essonne-ib-u01-rail0-leaf1"].port == "swp1"
    assert managed["essonne-ib-u17-rail0-leaf1"].address == "10.96.20.17", "the second island begins after 1,040"
    assert managed["essonne-ib-i2-group6-core24"].address == "10.96.24.32"
    cables = [cable for cable in plan.networks.cables if cable.network is Network.OOB]
    ends = {cable.a_device: cable for cable in cables if cable.a_device in managed}
    assert ends.keys() == managed.keys()
    access = {switch.name for switch in plan.networks.oob.switches if switch.role == "access"}
    assert {cable.b_device for cable in ends.values()} == access
    above = [cable.b_device for cable in cables if cable.a_device in access]
    assert Counter(above) == {"essonne-oob-ib01": 48, "essonne-oob-ib02": 24}


@pytest.mark.parametrize("name", REGIONS)
def test_every_port_holds_one_end_of_one_cable(name: str, planned: Callable[[str], RegionPlan]) -> None:
    ends = Counter(end for cable in planned(name).networks.cables for end in ends_of(cable))
    assert [end for end, count in ends.items() if count > 1] == []


@pytest.mark.parametrize("name", REGIONS)
def test_no_address_or_number_is_given_twice(name: str, planned: Callable[[str], RegionPlan]) -> None:
    plan = planned(name)
    oob = plan.networks.oob
    addresses = [endpoint.address for endpoint in oob.endpoints]
    addresses += [switch.address for switch in oob.switches if switch.rack is None]
    addresses += [switch.oob_address for switch in plan.fabric.switches]
    addresses += sorted({rack.gateway for rack in oob.racks})
    assert [address for address, count in Counter(addresses).items() if count > 1] == []
    asns = [switch.asn for switch in oob.switches if switch.asn]
    asns += [switch.asn for switch in plan.fabric.switches if switch.role == "leaf"] + [host.asn for host in plan.hosts]
    assert len(asns) == len(set(asns))
    bmcs = {endpoint.device: endpoint.address for endpoint in oob.endpoints if endpoint.kind is OobKind.TRAY_BMC}
    assert bmcs == {host.name: host.bmc_address for host in plan.hosts}


@pytest.mark.parametrize("name", REGIONS)
def test_the_cables_of_the_fabric_are_all_there_once(name: str, planned: Callable[[str], RegionPlan]) -> None:
    plan = planned(name)
    inband = [ends_of(cable) for cable in plan.networks.cables if cable.network is Network.INBAND]
    assert inband == [((c.a_device, c.a_port), (c.b_device, c.b_port)) for c in plan.fabric.cables]


def test_no_switch_of_the_compute_network_blocks(planned: Callable[[str], RegionPlan]) -> None:
    """Links down equal links up at every leaf and spine of a full unit; no core has more than its ports."""
    plan = planned("essonne")
    up, down = Counter[str](), Counter[str]()
    for cable in plan.networks.cables:
        if cable.network is Network.COMPUTE:
            up[cable.a_device] += 1
            down[cable.b_device] += 1
    for switch in compute_of(plan).switches:
        if switch.unit and switch.unit < 32:
            assert up[switch.name] == down[switch.name] == (18 if switch.tier is Tier.LEAF else 24)
        elif switch.tier is Tier.CORE:
            assert (up[switch.name], down[switch.name]) == (0, 64)


@pytest.mark.parametrize("units", [2, 3, 5, 6, 7, 11, 16])
def test_uplinks_are_dealt_out_evenly_whatever_the_size(units: int) -> None:
    """No core has two more links than another of its group, nor a spine two more to one core than to another."""
    plan = plan_of(region_of("essonne", range(1, 8 * units + 1), units))
    pairs: defaultdict[str, Counter[str]] = defaultdict(Counter)
    cores: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for cable in plan.networks.cables:
        if "-core" in cable.b_device:
            pairs[cable.a_device][cable.b_device] += 1
            cores[cable.b_device.rsplit("-", 1)[0]][cable.b_device] += 1
    for links in (*pairs.values(), *cores.values()):
        assert max(links.values()) - min(links.values()) <= 1
    assert max(max(group.values()) for group in cores.values()) <= 64


def test_management_ports_of_a_rack_fill_two_switches_in_order(planned: Callable[[str], RegionPlan]) -> None:
    profile = described("essonne").catalogue.rack("gb200-nvl72")
    assert profile is not None
    assert oob_ports(profile) == 89 <= 96
    items = items_of(profile)
    assert len(items) == oob_addresses(profile).total == 127
    assert len({item.offset for item in items}) == 127
    by_switch = Counter(item.switch for item in items if item.plug)
    assert by_switch == {1: 45, 2: 44}
    cables = {(c.b_device, c.b_port): (c.a_device, c.a_port) for c in planned("essonne").networks.cables}
    assert cables["ess-r001-oob1", "swp1"] == ("ess-r001-t01", "bmc")
    assert cables["ess-r001-oob1", "swp3"] == ("ess-r001-t01", "right-bf3-mgmt")
    assert cables["ess-r001-oob2", "swp44"] == ("ess-r001-shelf8", "pmc")
    assert cables["essonne-oob-agg12", "swp10"] == ("ess-r250-oob2", "swp48")


def test_a_cable_is_as_long_as_its_ends_are_apart(planned: Callable[[str], RegionPlan]) -> None:
    runs: defaultdict[str, set[tuple[str, int]]] = defaultdict(set)
    for cable in planned("essonne").networks.cables:
        if cable.network is Network.COMPUTE:
            runs[cable.b_device.split("-")[-1].rstrip("0123456789")].add((cable.run.name, cable.run.length_m))
    assert runs == {"leaf": {("in-row", 30)}, "spine": {("in-row", 30)}, "core": {("in-hall", 50)}}
    lengths = [
        run.length_m for run in sorted({c.run for c in planned("essonne").networks.cables}, key=lambda r: r.length_m)
    ]
    assert all(a <= b for a, b in pairwise(lengths))


def test_what_was_found_is_held_against_the_topology() -> None:
    plan = plan_of(region_of("essonne", range(1, 3), 1))
    files = dict(RENDERS["infiniband"].files(plan))
    topology = files["island-1/topology.net"]
    assert len(planned_links(topology)) == sum(c.network is Network.COMPUTE for c in plan.networks.cables)
    found = discovered(topology)
    assert compare(topology, found).missing == compare(topology, found).unplanned == ()
    wrong = compare(topology, discovered(swapped(topology)))
    leaf = "essonne-ib-u01-rail0-leaf1"
    assert wrong.missing == ((("ess-r001-t01 mlx5_0", 1), (leaf, 1)), (("ess-r001-t02 mlx5_0", 1), (leaf, 2)))
    assert wrong.unplanned == ((("ess-r001-t01 mlx5_0", 1), (leaf, 2)), (("ess-r001-t02 mlx5_0", 1), (leaf, 1)))


def test_the_subnet_manager_is_told_the_top_switches(planned: Callable[[str], RegionPlan]) -> None:
    island = [switch for switch in compute_of(planned("essonne")).switches if switch.island == 2]
    assert len(roots(island)) == 144
    some: list[ComputeSwitch] = island[-2:]
    files = dict(guid_files(some, {some[0].name: 0xB8CEF60300AABBCC}))
    assert files == {
        "root_guids.txt": "0xb8cef60300aabbcc\n",
        "node_names.txt": f'0xb8cef60300aabbcc "{some[0].name}"\n',
    }


def test_a_region_without_a_compute_network_has_none(planned: Callable[[str], RegionPlan]) -> None:
    assert planned("paris").networks.compute is None
    assert dict(RENDERS["infiniband"].files(planned("paris"))) == {}


def ends_of(cable: NetworkCable) -> tuple[tuple[str, str], tuple[str, str]]:
    return (cable.a_device, cable.a_port), (cable.b_device, cable.b_port)


def swapped(topology: str) -> str:
    """The cables of the first two trays in each other's port."""
    first, second = '"essonne-ib-u01-rail0-leaf1"[1]\n', '"essonne-ib-u01-rail0-leaf1"[2]\n'
    a, b = '[1] "ess-r001-t01 mlx5_0"[1]', '[2] "ess-r001-t02 mlx5_0"[1]'
    text = topology.replace(first, "@", 1).replace(second, first, 1).replace("@", second, 1)
    return text.replace(a, a.replace("[1] ", "[2] ", 1), 1).replace(b, b.replace("[2] ", "[1] ", 1), 1)


def discovered(topology: str) -> str:
    """The topology in the words of `ibnetdiscover`, with GUIDs for names."""
    lines: list[str] = []
    for line in topology.splitlines():
        kind, _, rest = line.partition(" ")
        if kind in ("Hca", "Switch"):
            ports, name = rest.split(" ", 1)
            line = f"{'Ca' if kind == 'Hca' else kind}\t{ports} {name}\t\t# {name}"
        lines.append(line)
    return "\n".join(lines)
