"""The one list of renders."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from components.plan.model import RegionPlan
from components.plan.renders.dhcp import kea
from components.plan.renders.dns_zones import zones
from components.plan.renders.infiniband import infiniband
from components.plan.renders.inventories import inventories
from components.plan.renders.kueue import kueue
from components.plan.renders.labels import labels
from components.plan.renders.prometheus import prometheus
from components.plan.renders.switches import switches

Files = Iterator[tuple[str, str]]
"""Path below the render's folder, and text; each path once, in an order that the plan alone decides."""


@dataclass(frozen=True, kw_only=True)
class Render:
    """Files of one kind."""

    files: Callable[[RegionPlan], Files]
    about: str
    """What they are, in a line."""
    needs_artifacts: bool = False
    """Whether published images are named in them; all else is rendered before anything is published."""


RENDERS: Mapping[str, Render] = {
    "switches": Render(files=switches, about="configuration of every switch of the routed fabric"),
    "dhcp": Render(files=kea, about="Kea: subnets and reservations of the out-of-band network"),
    "zones": Render(files=zones, about="DNS zone files, by name and by address"),
    "infiniband": Render(
        files=infiniband, about="InfiniBand topology of each island, and what its subnet manager is told"
    ),
    "inventories": Render(files=inventories, about="Ansible inventory, a file a rack", needs_artifacts=True),
    "labels": Render(files=labels, about="Kubernetes nodes with their place as labels, a file a rack"),
    "kueue": Render(files=kueue, about="Kueue's Topology and ResourceFlavors"),
    "prometheus": Render(files=prometheus, about="Prometheus targets for file-based discovery"),
}
