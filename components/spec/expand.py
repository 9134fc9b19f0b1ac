"""From the short forms of a description to the long ones.

Works on what the files say, before the models: the members of a series are then validated, and judged by
the rules, as if each had been written out. Where a member came from is kept, so that a problem names the
line of the series.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from pydantic import ValidationError

from components.errors import Problem
from components.spec.base import Model
from components.spec.clos_ids import miscounted
from components.spec.clos_members import Ports, borders, leaf_name, leaves, ports_of, spines
from components.spec.network import ScalableUnit
from components.spec.position import Location, Positions
from components.spec.problems import is_stray, problems_of
from components.spec.region import Received
from components.spec.series import Clos, RackSeries

M = TypeVar("M", bound=Model)
Data = dict[str, Any]


@dataclass
class Expanded:
    """A description in its long form."""

    data: Data
    origins: dict[Location, tuple[Location, str]] = field(default_factory=dict[Location, tuple[Location, str]])
    """Location of a generated member -> location of its series in the files, and the member's name."""
    problems: list[Problem] = field(default_factory=list[Problem])
    incomplete: set[str] = field(default_factory=set[str])
    """Top-level keys of which something had to be left out."""


def expand(data: Data, positions: Positions, received: Received) -> Expanded:
    """The long form; series that do not validate are left out and become problems."""
    result = Expanded(dict(data))
    unit_racks = _unit_racks(data)
    clos = _expand_clos(result, positions, unit_racks)
    _expand_racks(result, positions, received, unit_racks, clos)
    return result


def _unit_racks(data: Data) -> int:
    try:
        return ScalableUnit.model_validate(data.get("scalable_unit", {}), strict=True).racks
    except ValidationError:  # told when the whole is validated
        return ScalableUnit().racks


def _parse(model: type[M], value: Data, at: Location, positions: Positions, result: Expanded) -> M | None:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        result.problems += problems_of(error, model, positions, at)
    parsed = _lenient(model, value)
    if parsed is None:
        # the switches of a clos are counted by the racks, so a rack that is missing takes leaves with it
        result.incomplete |= {"racks", "fabric"}
    return parsed


def _lenient(model: type[M], value: object) -> M | None:
    """The short form without the keys that nothing has; None where that is not all that is wrong with it."""
    if not isinstance(value, dict):
        return None
    try:
        said = cast("Data", value)
        return model.model_validate({key: item for key, item in said.items() if not is_stray(model, said, key)})
    except ValidationError:
        return None


def _raw_racks(data: Data) -> list[Data]:
    racks = data.get("racks")
    return [rack for rack in cast("list[Any]", racks) if isinstance(rack, dict)] if isinstance(racks, list) else []


def _rack_ids(data: Data) -> Iterator[int]:
    """Ids of all racks, as far as they can be read."""
    for rack in _raw_racks(data):
        if "series" in rack:
            series = _lenient(RackSeries, rack)
            yield from series.ids if series else ()
        elif isinstance(id := rack.get("id"), int):
            yield id


def _expand_clos(result: Expanded, positions: Positions, unit_racks: int) -> tuple[Clos, Ports] | None:
    fabric = result.data.get("fabric")
    if not isinstance(fabric, dict) or "clos" not in fabric:
        return None
    said = dict(cast("Data", fabric))
    clos = _parse(Clos, said.pop("clos"), ("fabric", "clos"), positions, result)
    if clos is None:
        result.data["fabric"] = said
        return None
    result.problems += miscounted(clos, positions)
    ports = ports_of(result.data, said.get("switch"), clos.host_lanes)
    region = str(result.data.get("region", "region"))
    units = sorted({(id - 1) // unit_racks + 1 for id in _rack_ids(result.data)})
    for tier, members in (
        ("spines", list(spines(clos, region, ports))),
        ("leaves", [*leaves(clos, region, units), *borders(clos, region, ports)]),
    ):
        said[tier] = members
        for index, member in enumerate(members):
            result.origins[("fabric", tier, index)] = (("fabric", "clos"), member["name"])
    result.data["fabric"] = said
    return clos, ports


def _expand_racks(
    result: Expanded, positions: Positions, received: Received, unit_racks: int, clos: tuple[Clos, Ports] | None
) -> None:
    written = result.data.get("racks")
    if not isinstance(written, list):
        return
    racks: list[Any] = []
    for index, item in enumerate(cast("list[Any]", written)):
        at: Location = ("racks", index)
        if not isinstance(item, dict) or "series" not in item:
            result.origins[("racks", len(racks))] = (at, "")
            racks.append(item)
            continue
        series = _parse(RackSeries, cast("Data", item), at, positions, result)
        if series is None:
            continue
        members = _members(series, result.data, received, unit_racks, clos)
        for rack in members:
            result.origins[("racks", len(racks))] = (at, rack["name"])
            racks.append(rack)
    result.data["racks"] = racks


def _members(
    series: RackSeries, data: Data, received: Received, unit_racks: int, clos: tuple[Clos, Ports] | None
) -> Iterator[Data]:
    slots, uplinks = _profile_facts(data, series.profile)
    stride = _stride(data, slots)
    region = str(data.get("region", "region"))
    for n, id in enumerate(series.ids):
        name = f"{series.series}{id:03d}"
        unit, within = divmod(id - 1, unit_racks)
        rack: Data = {
            "name": name,
            "id": id,
            "profile": series.profile,
            "image": series.image,
            "protect": series.protect,
            "trays": list(_trays(series, slots, received.get(name, {}))),
            "leaves": [],
        }
        if n < len(series.places):
            rack["place"] = series.places[n].model_dump()
        if clos:
            design, ports = clos
            rack["leaves"] = [leaf_name(region, unit + 1, p) for p in range(1, min(uplinks, design.planes) + 1)]
            rack["first_leaf_port"] = ports.lane(within * stride)
            rack["leaf_lanes"] = ports.lanes
        yield rack


def _trays(series: RackSeries, slots: int, received: Mapping[str, Mapping[str, Any]]) -> Iterator[Data]:
    used = series.slots or tuple(range(1, slots + 1))
    # A rack of spares only is no rack: at least the first tray works.
    working = set(used[: max(1, len(used) - series.spares)])
    for slot in used:
        there = received.get(str(slot), {})
        yield {
            "slot": slot,
            "role": series.role.value if slot in working else "spare",
            **{key: there[key] for key in ("serial", "macs", "bmc_mac") if key in there},
        }


def _profile_facts(data: Data, name: str) -> tuple[int, int]:
    """Slots of a rack, and uplinks of a tray; one each where the profile is unknown, which a rule reports."""
    for each in cast("list[Data]", data.get("catalogue", {}).get("racks", [])):
        if each.get("profile") == name:
            tray = each.get("tray", {})
            nics = len(tray.get("nics", ())) - bool(tray.get("has_oob_nic", True))
            return int(each.get("slots", 1)), nics
    return 1, 1


def _stride(data: Data, default: int) -> int:
    pools = data.get("pools")
    stride = cast("Data", pools).get("slots_per_rack") if isinstance(pools, dict) else None
    return stride if isinstance(stride, int) else default
