"""Exports, read as the programs read them that they are for."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from components.plan import RegionPlan
from components.plan.exports import EXPORTS
from components.plan.exports.nico import BATCH, shelf_slots
from components.plan.exports.topograph import ranges
from components.plan.naming import EDGE
from components.plan.networks.model import Network

Golden = Callable[[str, str], None]
Rows = list[dict[str, str]]

NICO_CREATE = {
    # ExpectedMachineCreateRequest of NICo's REST API, without what the sender adds: siteId and credentials
    "type": "array",
    "maxItems": BATCH,
    "items": {
        "type": "object",
        "required": ["bmcMacAddress", "chassisSerialNumber"],
        "additionalProperties": False,
        "properties": {
            "bmcMacAddress": {"type": "string", "pattern": "^([0-9a-f]{2}:){5}[0-9a-f]{2}$"},
            "chassisSerialNumber": {"type": "string", "minLength": 1},
            "bmcIpAddress": {"type": "string", "format": "ipv4"},
            "name": {"type": "string"},
            "model": {"type": "string"},
            "rackId": {"type": "string"},
            "slotId": {"type": "integer", "minimum": 1},
            "trayIdx": {"type": "integer", "minimum": 0},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    },
}

NETBOX_COLUMNS = {
    # of the import forms of NetBox 4.7: the required ones, and the others that are used
    "01-sites": ({"name", "slug", "status"}, {"latitude", "longitude", "description"}),
    "02-locations": ({"site", "name", "slug", "status"}, set[str]()),
    "03-manufacturers": ({"name", "slug"}, set[str]()),
    "04-device-types": ({"manufacturer", "model", "slug"}, {"u_height"}),
    "05-device-roles": ({"name", "slug"}, {"color"}),
    "06-racks": ({"site", "name", "status"}, {"location", "facility_id", "u_height", "description"}),
    "07-devices": (
        {"role", "manufacturer", "device_type", "status", "site"},
        {"name", "serial", "location", "rack", "position", "face"},
    ),
    "08-interfaces": ({"device", "name", "type"}, {"mgmt_only"}),
    "09-prefixes": ({"prefix", "status"}, {"description"}),
    "10-ip-addresses": ({"address", "status"}, {"device", "interface", "is_oob", "dns_name"}),
    "11-cables": (
        {"side_a_type", "side_a_name", "side_b_type", "side_b_name"},
        {"side_a_device", "side_b_device", "type", "status", "label", "length", "length_unit"},
    ),
}


def files(plan: RegionPlan, export: str) -> dict[str, str]:
    found = list(EXPORTS[export].files(plan))
    assert len(found) == len(dict(found)), "each path is made once"
    return dict(found)


def netbox(plan: RegionPlan) -> dict[str, Rows]:
    tables: dict[str, Rows] = {}
    for path, text in files(plan, "netbox").items():
        what = path.partition("/")[0].removesuffix(".csv")
        tables.setdefault(what, []).extend(csv.DictReader(io.StringIO(text)))
    return tables


@pytest.fixture
def received(essonne_rack: RegionPlan) -> RegionPlan:
    """Every tray of the rack was delivered, but for the last one's BMC."""
    rack = next(rack for rack in essonne_rack.racks if rack.hardware.gpus)
    hosts = tuple(replace(h, serial=f"S{h.slot}", bmc_mac=f"0c:42:a1:00:00:{h.slot:02x}") for h in rack.hosts)
    hosts = (*hosts[:-1], replace(hosts[-1], bmc_mac=""))
    racks = tuple(replace(r, hosts=hosts) if r is rack else r for r in essonne_rack.racks)
    return replace(essonne_rack, racks=racks)


@pytest.mark.parametrize("export", EXPORTS)
def test_the_same_plan_gives_the_same_bytes(export: str, lab_plan: RegionPlan) -> None:
    assert files(lab_plan, export) == files(lab_plan, export)


@pytest.mark.parametrize("export", ["nico", "netbox", "topograph", "infragraph"])
def test_an_export_of_the_lab_is_as_reviewed(export: str, lab_plan: RegionPlan, golden: Golden) -> None:
    for path, text in files(lab_plan, export).items():
        golden(f"lab/exports/{export}/{path}", text)


def test_nico_expects_what_was_received_by_serial_and_mac(received: RegionPlan, golden: Golden) -> None:
    (text,) = files(received, "nico").values()
    machines = json.loads(text)
    Draft202012Validator(NICO_CREATE).validate(machines)
    assert [machine["chassisSerialNumber"] for machine in machines] == [f"S{slot}" for slot in range(1, 18)]
    assert not any(word in text.lower() for word in ("password", "username", "siteid"))


def test_nico_gets_at_most_a_hundred_at_once(received: RegionPlan) -> None:
    rack = next(rack for rack in received.racks if rack.hardware.gpus)
    racks = tuple(replace(rack, name=f"r{n}") for n in range(6))
    places = tuple(replace(received.topology.of(rack.name), rack=each.name) for each in racks)
    plan = replace(received, racks=racks, topology=replace(received.topology, racks=places))
    batches = [json.loads(text) for text in files(plan, "nico").values()]
    assert [len(batch) for batch in batches] == [100, 2]


def test_a_tray_has_the_slot_that_the_firmware_counts(essonne_rack: RegionPlan) -> None:
    rack = next(rack for rack in essonne_rack.racks if rack.hardware.gpus)
    assert shelf_slots(rack, essonne_rack)[12] == 21, "switch trays are counted too"


def test_topograph_finds_every_node_once_below_one_root(essonne_rack: RegionPlan) -> None:
    (text,) = files(essonne_rack, "topograph").values()
    model: Any = YAML(typ="safe").load(text)
    children = Counter(child for switch in model["switches"].values() for child in switch["switches"])
    assert set(children.values()) == {1}, "a switch has one parent"
    assert set(model["switches"]) - set(children) == {essonne_rack.region}
    known = set(children) | set(model["switches"])
    assert {block["switch"] for block in model["blocks"] if "switch" in block} <= known
    domains = [block["annotations"] for block in model["blocks"] if "annotations" in block]
    assert domains == [{"accelerator.topology.test/domain": "ess-r001-nvl"}]


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["r-t01", "r-t02", "r-t03"], ["r-t[01-03]"]),
        (["r-t01", "r-t03"], ["r-t01", "r-t03"]),
        (["r-t09", "r-t10", "s-t11"], ["r-t[09-10]", "s-t11"]),
        (["r-t9", "r-t10"], ["r-t9", "r-t10"]),
        ([], []),
    ],
)
def test_names_that_follow_each_other_are_a_range(names: list[str], short: list[str]) -> None:
    assert ranges(names) == short


def test_infragraph_builds_the_graph(essonne_rack: RegionPlan) -> None:
    from infragraph.infragraph_service import InfraGraphService  # slow to import

    service: Any = InfraGraphService()
    (text,) = files(essonne_rack, "infragraph").values()
    service.set_graph(text)
    graph: Any = service.get_networkx_graph()
    kinds = Counter(cast("str", data["type"]) for _, data in graph.nodes(data=True))
    assert kinds["xpu"] == sum(host.gpus for host in essonne_rack.hosts)
    links = Counter(cast("str", data.get("link")) for _, _, data in graph.edges(data=True))
    cables = Counter(
        str(cable.network)
        for cable in essonne_rack.networks.cables
        if cable.network is not Network.OOB and EDGE not in (cable.a_device, cable.b_device)
    )
    assert {name: links[name] for name in cables} == cables
    assert links["nvlink"] == sum(d.gpus * d.asics for d in essonne_rack.networks.nvlink)


def test_netbox_gets_the_columns_that_it_knows(essonne_rack: RegionPlan) -> None:
    tables = netbox(essonne_rack)
    assert list(tables) == list(NETBOX_COLUMNS), "in the order in which they are imported"
    for what, rows in tables.items():
        required, optional = NETBOX_COLUMNS[what]
        for row in rows:
            assert required <= set(row) <= required | optional
            assert all(row[column] for column in required), f"{what}: {row}"


def test_netbox_finds_what_each_row_refers_to(received: RegionPlan) -> None:
    tables = netbox(received)
    devices = {row["name"]: row for row in tables["07-devices"]}
    assert len(devices) == len(tables["07-devices"]), "a device is there once"
    assert {row["device_type"] for row in devices.values()} == {row["model"] for row in tables["04-device-types"]}
    assert {row["role"] for row in devices.values()} == {row["name"] for row in tables["05-device-roles"]}
    racks = {row["name"]: row for row in tables["06-racks"]}
    assert {row["rack"] for row in devices.values() if row["rack"]} == set(racks)
    assert {row["location"] for row in racks.values()} <= {row["name"] for row in tables["02-locations"]}
    interfaces = {(row["device"], row["name"]) for row in tables["08-interfaces"]}
    assert len(interfaces) == len(tables["08-interfaces"])
    assert {device for device, _ in interfaces} <= set(devices)
    ends = [(row[f"side_{s}_device"], row[f"side_{s}_name"]) for row in tables["11-cables"] for s in "ab"]
    assert set(ends) <= interfaces
    assert len(ends) == len(set(ends)), "no port has two cables"
    assert {(row["device"], row["interface"]) for row in tables["10-ip-addresses"]} <= interfaces


def test_nothing_in_a_rack_of_netbox_stands_on_another(essonne_rack: RegionPlan) -> None:
    tables = netbox(essonne_rack)
    heights = {row["model"]: int(row["u_height"]) for row in tables["04-device-types"]}
    taken: Counter[tuple[str, int]] = Counter()
    for row in tables["07-devices"]:
        if row["position"]:
            first = int(row["position"])
            taken.update((row["rack"], unit) for unit in range(first, first + heights[row["device_type"]]))
    assert set(taken.values()) == {1}
    limits = {row["name"]: int(row["u_height"]) for row in tables["06-racks"]}
    assert all(unit <= limits[rack] for rack, unit in taken)
