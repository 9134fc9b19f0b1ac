"""What holds for any region: nothing overlaps, names are unique, and a change moves nothing else."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import fields
from ipaddress import IPv4Address, IPv4Network
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from components.plan import RegionPlan
from components.plan.fabric_model import SwitchPlan
from components.plan.frr import switch_config
from components.plan.model import HostPlan
from components.plan.wiring import wiring
from components.spec.draft import Draft
from components.spec.position import Positions
from components.spec.region import Region
from components.spec.rules import RULES
from components.spec.rules.rule import run
from tests.regions import lab, plan_of

LAB: dict[str, Any] = json.loads(lab().model_dump_json(exclude_unset=True))
SLOTS = 18
RACKS = 60


def region_of(racks: dict[int, frozenset[int]], spines: int, pairs: int) -> Region:
    """A region with these racks (id -> slots) and switches; rack 1 slot 1 holds the control plane."""
    document = json.loads(json.dumps(LAB))
    leaves = [f"big-leaf{n}" for n in range(1, 2 * pairs + 1)]
    document["region"] = "big"
    document["asns"] = {"spine": 65000, "leaf": "4200000000-4200000999", "host": "4201000000-4201999999"}
    document["pools"] |= {
        "oob": {
            "network": "172.16.0.0/16",
            "gateway": "172.16.0.1",
            "switches": "172.16.4.0/22",
            "hosts": "172.16.64.0/18",
            "racks": "172.16.128.0/17",
            "rack_prefix": 24,
        },
        "switch_loopbacks": "10.0.0.0/20",
        "host_loopbacks": "10.0.64.0/18",
        "pods": "10.128.0.0/10",
        "slots_per_rack": SLOTS,
    }
    document["fabric"]["spines"] = [
        {"name": f"big-spine{n}", "id": n, "leaf_port": f"swp{200 + n}"} for n in range(1, spines + 1)
    ]
    document["fabric"]["leaves"] = [
        {"name": name, "id": 100 + n, "spine_port": f"swp{n}", "edge": {"id": n, "port": "swp300"} if n < 3 else None}
        for n, name in enumerate(leaves, start=1)
    ]
    next(p for p in document["catalogue"]["racks"] if p["profile"] == "nspawn-rack")["slots"] = SLOTS
    # Racks that are many hang on few leaves here, which no switch has the ports for.
    next(s for s in document["catalogue"]["switches"] if s["switch"] == "frr-nspawn")["ports"] = 4096
    document["site"]["halls"] = [{"name": "a", "rows": 10, "racks_per_row": 10}]
    document["racks"] = [
        LAB["racks"][0]
        | {
            "name": f"big-r{id:03d}",
            "id": id,
            "leaves": [leaves[2 * (id % pairs)], leaves[2 * (id % pairs) + 1]],
            # Racks that share a pair of leaves take ports one after the other.
            "first_leaf_port": f"swp{1000 + SLOTS * id}",
            "trays": [tray_of(id, slot) for slot in sorted(slots)],
        }
        for id, slots in racks.items()
    ]
    return Region.model_validate_json(json.dumps(document), strict=True)


def tray_of(rack: int, slot: int) -> dict[str, Any]:
    role = "control_plane" if (rack, slot) == (1, 1) else "spare" if slot == SLOTS else "gpu_worker"
    macs = [f"02:00:00:{rack:02x}:{slot:02x}:{nic:02x}" for nic in range(3)]
    return {"slot": slot, "role": role, "serial": f"S{rack:03d}{slot:02d}", "macs": macs}


def with_control_plane(others: dict[int, frozenset[int]], first: frozenset[int], spines: int, pairs: int) -> Region:
    """Rack 1 always holds a control plane and a worker."""
    return region_of({1: first | {1, 2}} | others, spines, pairs)


slots = st.frozensets(st.integers(1, SLOTS), min_size=1, max_size=5)
shapes = st.builds(
    with_control_plane,
    st.dictionaries(st.integers(2, RACKS), slots, max_size=5),
    slots,
    st.integers(1, 4),
    st.integers(1, 4),
)
quick = settings(max_examples=25, deadline=None)


def devices(plan: RegionPlan) -> dict[str, HostPlan | SwitchPlan]:
    return {device.name: device for device in (*plan.hosts, *plan.fabric.switches)}


@quick
@given(shapes)
def test_a_region_that_is_planned_obeys_every_rule(region: Region) -> None:
    assert list(run(RULES, Draft(region, frozenset(Region.model_fields)), Positions())) == []


@quick
@given(shapes)
def test_no_address_or_network_is_given_twice(region: Region) -> None:
    plan = plan_of(region)
    addresses = [
        *(address for host in plan.hosts for address in (host.bmc_address, host.oob_address, host.loopback)),
        *(address for switch in plan.fabric.switches for address in (switch.oob_address, switch.loopback)),
        *(a.partition("/")[0] for edge in plan.fabric.edges for a in (edge.switch_address, edge.outside_address)),
        plan.runtime.gateway_vip,
        plan.oob.gateway,
        plan.cluster.dns_address,
    ]
    assert repeated(addresses) == []
    pods = sorted(IPv4Network(host.pod_cidr) for host in plan.hosts)
    assert not any(a.overlaps(b) for a, b in pairwise(pods))
    assert not any(IPv4Address(address) in pod for pod in pods[:3] for address in addresses)


@quick
@given(shapes)
def test_names_serials_macs_and_as_numbers_are_unique(region: Region) -> None:
    plan = plan_of(region)
    assert repeated(record.name for record in plan.records) == []
    assert all(len(record.name) <= 63 for record in plan.records)
    assert repeated(host.serial for host in plan.hosts) == []
    assert repeated(nic.mac for host in plan.hosts for nic in host.nics) == []
    asns = [device.asn for device in devices(plan).values() if device.asn != region.asns.spine.first]
    assert repeated(asns) == []


@quick
@given(shapes)
def test_every_port_holds_one_end_of_one_cable(region: Region) -> None:
    plan = plan_of(region)
    ends = [tuple(end) for cable in wiring(plan)["cables"] for end in (cable["a"], cable["b"])]
    assert repeated(ends) == []
    ports = {
        (switch.name, port.name): (port.peer, port.peer_port)
        for switch in plan.fabric.switches
        for port in switch.ports
    }
    for cable in plan.fabric.cables:
        a, b = (cable.a_device, cable.a_port), (cable.b_device, cable.b_port)
        assert ports[b] == a, "the switch knows what is behind its port"
        assert a not in ports or ports[a] == b
    assert set(ports) <= set(ends), "no port is in use without a cable"


@quick
@given(shapes, st.integers(2, RACKS), slots)
def test_another_rack_changes_no_device_that_was_there(region: Region, id: int, trays: frozenset[int]) -> None:
    racks = {rack.id: frozenset(tray.slot for tray in rack.trays) for rack in region.racks}
    spines, pairs = len(region.fabric.spines), len(region.fabric.leaves) // 2
    before = devices(plan_of(region_of({k: v for k, v in racks.items() if k != id}, spines, pairs)))
    after = devices(plan_of(region_of(racks | {id: trays}, spines, pairs)))
    for name, device in before.items():
        assert identity(after[name]) == identity(device)


@quick
@given(shapes, st.integers(1, SLOTS))
def test_a_tray_that_comes_or_goes_changes_no_other(region: Region, slot: int) -> None:
    racks = {rack.id: frozenset(tray.slot for tray in rack.trays) for rack in region.racks}
    id = max(racks)
    spines, pairs = len(region.fabric.spines), len(region.fabric.leaves) // 2
    trays = racks[id] | {slot}
    without = trays - {slot} if id != 1 or slot > 2 else trays
    before = devices(plan_of(region_of(racks | {id: without or trays}, spines, pairs)))
    after = devices(plan_of(region_of(racks | {id: trays}, spines, pairs)))
    assert all(identity(after[name]) == identity(device) for name, device in before.items())


@quick
@given(shapes)
def test_another_spine_and_pair_of_leaves_changes_no_device_that_was_there(region: Region) -> None:
    racks = {rack.id: frozenset(tray.slot for tray in rack.trays) for rack in region.racks}
    before = devices(plan_of(region_of(racks, 2, 4)))
    document = region_of(racks, 3, 4)
    after = devices(plan_of(document))
    assert all(identity(after[name]) == identity(device) for name, device in before.items())


@quick
@given(shapes)
def test_the_order_in_which_racks_and_trays_are_written_means_nothing(region: Region) -> None:
    turned = region.model_copy(
        update={"racks": tuple(r.model_copy(update={"trays": r.trays[::-1]}) for r in region.racks[::-1])}
    )
    plan, other = plan_of(region), plan_of(turned)
    assert plan == other
    for switch, same in zip(plan.fabric.switches, other.fabric.switches, strict=True):
        assert switch_config(switch, plan) == switch_config(same, other)


def identity(device: HostPlan | SwitchPlan) -> dict[str, Any]:
    """All of a device but what is plugged into it, which a new neighbour does change."""
    return {f.name: getattr(device, f.name) for f in fields(device) if f.name not in ("ports", "host_prefixes")}


def repeated(items: Iterable[Any]) -> list[Any]:
    return [item for item, count in Counter(items).items() if count > 1]
