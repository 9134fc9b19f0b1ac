"""The switches that a clos is made of, as raw data: each takes its name, id and ports from its own numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from components.spec.series import Clos

Data = dict[str, Any]


@dataclass(frozen=True)
class Ports:
    """How the ports of a kind of switch are counted and named."""

    count: int
    lanes: int
    """Hosts that share a port of a leaf by a breakout cable."""

    def whole(self, number: int) -> str:
        """`swp64`."""
        return f"swp{number}"

    def lane(self, index: int) -> str:
        """The port of host `index` (from 0), counted over the lanes: `swp1s0`."""
        port, lane = divmod(index, self.lanes)
        return f"swp{port + 1}s{lane}" if self.lanes > 1 else f"swp{port + 1}"


def ports_of(data: Data, switch: object, lanes: int) -> Ports:
    """Of the catalogue's switch; a fallback where it is unknown, which a rule reports."""
    items = cast("list[Data]", data.get("catalogue", {}).get("switches", []))
    counts = (each.get("ports") for each in items if each.get("switch") == switch)
    count = next((count for count in counts if isinstance(count, int)), 64)
    return Ports(count=count, lanes=lanes)


def spines(clos: Clos, region: str, ports: Ports) -> Iterator[Data]:
    ids = iter(clos.spine_ids)
    # Ids go round the planes, and ports count down from the last: one more spine in each plane moves no other.
    for k in range(1, clos.spines_per_plane + 1):
        for plane in range(1, clos.planes + 1):
            id = next(ids, None)
            if id is None:  # too few ids: the rule on their count says so
                return
            yield {
                "name": f"{region}-p{plane}-spine{k:02d}",
                "id": id,
                "plane": plane,
                "leaf_port": ports.whole(ports.count + 1 - k),
            }


def leaves(clos: Clos, region: str, units: list[int]) -> Iterator[Data]:
    for unit in units:
        for plane in range(1, clos.planes + 1):
            yield {
                "name": leaf_name(region, unit, plane),
                "id": clos.first_leaf_id + (unit - 1) * clos.planes + plane - 1,
                "plane": plane,
                "spine_port": f"swp{unit}",
            }


def borders(clos: Clos, region: str, ports: Ports) -> Iterator[Data]:
    ids = iter(clos.border_ids or ())
    edge = 0
    for k in range(1, clos.borders_per_plane + 1):
        for plane in range(1, clos.planes + 1):
            id = next(ids, None)
            if id is None:
                return
            edge += 1
            yield {
                "name": f"{region}-p{plane}-border{k}",
                "id": id,
                "plane": plane,
                "spine_port": ports.whole(ports.count + 1 - k),
                "edge": {"id": edge, "port": clos.border_port},
            }


def leaf_name(region: str, unit: int, plane: int) -> str:
    """`essonne-u01-leaf1`: the leaf of a scalable unit in a plane."""
    return f"{region}-u{unit:02d}-leaf{plane}"
