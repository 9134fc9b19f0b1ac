"""What a change leaves alone: whatever comes or goes, nothing else is renamed, renumbered or plugged anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from components.plan import RegionPlan
from components.plan.networks.model import Network
from components.spec.region import Region
from tests.networks import plan_of, region_of

ESSONNE_LIKE = ("essonne", "essonne-as-built", "sweden")
"""Three tiers, two tiers with two islands, two tiers with one."""

Key = tuple[str, ...]

racks = st.frozensets(st.integers(1, 80), min_size=1, max_size=6)
slots = st.frozensets(st.integers(1, 18), min_size=1, max_size=5)
names = st.sampled_from(ESSONNE_LIKE)
quick = settings(max_examples=15, deadline=None)


def things_of(plan: RegionPlan) -> Mapping[Key, Any]:
    """Everything in all networks by what it is known by: cables by each of their ends."""
    networks = plan.networks
    things: dict[Key, Any] = {}
    for cable in networks.cables:
        things["end", cable.a_device, cable.a_port] = cable
        things["end", cable.b_device, cable.b_port] = cable
    things |= {("endpoint", each.name): each for each in networks.oob.endpoints}
    things |= {("oob switch", each.name): each for each in networks.oob.switches}
    things |= {("rack", each.rack): each for each in networks.oob.racks}
    things |= {("nvlink", each.name): each for each in networks.nvlink}
    if networks.compute:
        things |= {("ib", each.name): each for each in networks.compute.switches}
        things["shape", ""] = networks.compute.shape
    things |= {("host", each.name): each for each in plan.hosts}
    things |= {
        ("switch", each.name): (each.id, each.oob_address, each.loopback, each.asn) for each in plan.fabric.switches
    }
    return things


def is_of(key: Key, thing: Any, gone: Iterable[str]) -> bool:
    """Whether this belongs to one of the racks that come or go."""
    devices = (key[1], getattr(thing, "a_device", ""), getattr(thing, "b_device", ""))
    return any(device.startswith(name) for device in devices for name in gone)


def assert_kept(before: RegionPlan, after: RegionPlan, changed: Iterable[str]) -> None:
    """All that is in both, and not of the changed racks, is the same."""
    there, now = things_of(before), things_of(after)
    for key in there.keys() & now.keys():
        if not is_of(key, there[key], changed):
            assert there[key] == now[key], key


def assert_only_gone(smaller: RegionPlan, larger: RegionPlan) -> None:
    """The larger plan has all of the smaller one, unchanged."""
    there, now = things_of(smaller), things_of(larger)
    assert there.keys() <= now.keys()
    assert all(now[key] == thing for key, thing in there.items())


def rack_name(region: Region, id: int) -> str:
    return next(rack.name for rack in region.racks if rack.id == id)


@quick
@given(names, racks, racks)
def test_racks_and_units_that_come_change_nothing_that_was_there(
    name: str, some: frozenset[int], more: frozenset[int]
) -> None:
    assert_only_gone(plan_of(region_of(name, some)), plan_of(region_of(name, some | more)))


@quick
@given(names, racks, racks)
def test_a_rack_replaced_by_another_leaves_the_rest_alone(
    name: str, some: frozenset[int], other: frozenset[int]
) -> None:
    keep = some | {79}
    before, after = region_of(name, keep | other), region_of(name, keep)
    gone = [rack_name(before, id) for id in other - keep]
    assert_kept(plan_of(before), plan_of(after), gone)


@quick
@given(names, racks, slots, slots)
def test_trays_that_come_or_go_change_nothing_else(
    name: str, some: frozenset[int], before: frozenset[int], after: frozenset[int]
) -> None:
    """A tray's own cables, addresses and ports aside, only the count of GPUs of its domain follows."""
    there = things_of(plan_of(region_of(name, some, slots=before)))
    now = things_of(plan_of(region_of(name, some, slots=after)))
    for key in there.keys() & now.keys():
        if key[0] != "nvlink":
            assert there[key] == now[key], key
    everything = things_of(plan_of(region_of(name, some, slots=range(1, 19))))
    assert all(everything[key] == thing for key, thing in there.items() if key[0] != "nvlink")


@quick
@given(names, racks)
def test_every_port_holds_one_end_and_every_address_one_device(name: str, some: frozenset[int]) -> None:
    networks = plan_of(region_of(name, some)).networks
    ends = [end for c in networks.cables for end in ((c.a_device, c.a_port), (c.b_device, c.b_port))]
    assert len(ends) == len(set(ends))
    addresses = [endpoint.address for endpoint in networks.oob.endpoints]
    assert len(addresses) == len(set(addresses))
    planned = {switch.name for switch in networks.compute.switches} if networks.compute else set[str]()
    joined = {c.b_device for c in networks.cables if c.network is Network.COMPUTE}
    assert joined <= planned, "every switch that a cable ends on is planned"


@quick
@given(racks, st.integers(1, 16), st.integers(1, 16))
def test_every_full_unit_has_the_links_of_the_reference(some: frozenset[int], first: int, units: int) -> None:
    """576 from trays, 576 between leaf and spine, 576 to the cores if there are any, in each unit."""
    unit = (first - 1) % 10 + 1
    full = range(8 * unit - 7, 8 * unit + 1)
    plan = plan_of(region_of("essonne", {*some, *full}, units))
    mark = f"-ib-u{unit:02d}-"
    cables = [c for c in plan.networks.cables if c.network is Network.COMPUTE and mark in f"{c.a_device}{c.b_device}"]
    down = [c for c in cables if mark not in c.a_device]
    inside = [c for c in cables if mark in c.a_device and mark in c.b_device]
    up = [c for c in cables if mark not in c.b_device]
    assert (len(down), len(inside), len(up)) == (576, 576, 576 if units > 1 else 0)
    assert all(c.rail is not None and f"rail{c.rail}-" in c.b_device for c in (*down, *inside)), "rails do not mix"
