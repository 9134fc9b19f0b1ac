"""The one list of renders."""

from __future__ import annotations

from collections.abc import Mapping

from components.plan.renders.dhcp import kea
from components.plan.renders.dns_zones import zones
from components.plan.renders.infiniband import infiniband
from components.plan.renders.inventories import inventories
from components.plan.renders.kueue import kueue
from components.plan.renders.labels import labels
from components.plan.renders.operation import alerts, dashboards
from components.plan.renders.piece import Render
from components.plan.renders.prometheus import prometheus
from components.plan.renders.switches import switches

RENDERS: Mapping[str, Render] = {
    "switches": Render(pieces=switches, about="configuration of every switch of the routed fabric"),
    "dhcp": Render(pieces=kea, about="Kea: subnets and reservations of the out-of-band network"),
    "zones": Render(pieces=zones, about="DNS zone files, by name and by address"),
    "infiniband": Render(
        pieces=infiniband, about="InfiniBand topology of each island, and what its subnet manager is told"
    ),
    "inventories": Render(pieces=inventories, about="Ansible inventory, a file a rack", needs_artifacts=True),
    "labels": Render(pieces=labels, about="Kubernetes nodes with their place as labels, a file a rack"),
    "kueue": Render(pieces=kueue, about="Kueue's Topology and ResourceFlavors"),
    "prometheus": Render(pieces=prometheus, about="Prometheus targets for file-based discovery"),
    "alerts": Render(pieces=alerts, about="Alerts for Prometheus and vmalert, and for the Prometheus operator"),
    "dashboards": Render(pieces=dashboards, about="Dashboards for Grafana's provisioning"),
}
