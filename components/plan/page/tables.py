"""The tables of the page: all that the pictures say, for who cannot see them and where no script runs."""

from __future__ import annotations

from collections import Counter

from components.plan.model import RegionPlan, TrayRole
from components.plan.page.html import Markup, element, table
from components.plan.page.networks import fabric_map
from components.plan.summary import Summary


def racks(plan: RegionPlan) -> Markup:
    """One line a rack."""
    places = {place.rack: place for place in plan.topology.racks}
    names = {cut.number: cut.name for cut in plan.topology.clusters}
    return table(
        "Racks",
        ("rack", "hall", "row", "place", "kind", "unit", "island", "cluster", "GPUs", "trays", "spares", "block"),
        (
            (
                rack.name,
                places[rack.name].hall,
                places[rack.name].row,
                places[rack.name].position,
                rack.profile,
                places[rack.name].unit,
                places[rack.name].island,
                names[places[rack.name].cluster],
                places[rack.name].gpus,
                len(rack.hosts),
                sum(host.role is TrayRole.SPARE for host in rack.hosts),
                rack.oob_block,
            )
            for rack in plan.racks
        ),
        class_="racks",
    )


def fabric(plan: RegionPlan) -> Markup:
    """The switches of the routed fabric by plane, and one line a switch."""
    rows = fabric_map(plan)["rows"]
    counts = Counter((plane, role) for _, role, plane, *_ in rows)
    planes = sorted({plane for plane, _ in counts})
    return Markup(
        table(
            "Planes",
            ("plane", "spines", "leaves", "borders"),
            ((f"plane {p}", counts[p, "spine"], counts[p, "leaf"], counts[p, "border"]) for p in planes),
        )
        + table(
            "Switches",
            ("switch", "tier", "plane", "unit", "AS number", "loopback", "management", "links"),
            (
                (name, role, plane, unit, str(asn), loopback, oob, ", ".join(f"{n} {k}" for k, n in links.items()))
                for name, role, plane, unit, asn, loopback, oob, links in rows
            ),
            class_="switches",
        )
    )


def islands(summary: Summary, compute: dict[str, list[dict[str, int]]] | None) -> Markup:
    """One line an island of the compute network."""
    switches = {island["number"]: island for island in (compute or {"islands": []})["islands"]}
    return table(
        "Islands",
        ("island", "units", "built for", "racks", "GPUs", "leaf switches", "spine switches", "core switches"),
        (
            (
                f"island {line.number}",
                line.units,
                line.design_units,
                line.racks,
                line.gpus,
                *(
                    switches[line.number][tier] if line.number in switches else None
                    for tier in ("leaf", "spine", "core")
                ),
            )
            for line in summary.islands
        ),
    )


def power(summary: Summary) -> Markup:
    """Every level against its budget."""
    return table(
        "Power",
        ("level", "name", "load kW", "budget kW", "used", "note"),
        ((line.level, line.name, line.kw, line.budget_kw, f"{line.share:.1%}", line.note) for line in summary.power),
    )


def networks(summary: Summary) -> Markup:
    """One line a network."""
    return table(
        "Networks",
        ("network", "switches", "model", "endpoints", "cables", "what it is"),
        (
            (
                line.network,
                ", ".join(f"{count:,} {tier}" for tier, count in line.switches),
                line.model,
                line.endpoints,
                line.cables or None,
                line.note,
            )
            for line in summary.networks
        ),
    )


def clusters(plan: RegionPlan, summary: Summary) -> Markup:
    """Clusters and the tenants in them."""
    return Markup(
        table(
            "Kubernetes clusters",
            ("cluster", "Kubernetes", "nodes", "racks", "GPUs in service"),
            ((line.name, line.kubernetes, line.nodes, line.racks, line.gpus) for line in summary.clusters),
        )
        + table(
            "Tenants",
            ("tenant", "GPU quota", "pod quota"),
            ((tenant.name, tenant.gpus, tenant.pods) for tenant in plan.cluster.tenants),
        )
    )


def services(plan: RegionPlan) -> Markup:
    """What runs for the tenants."""
    if not plan.runtime.services:
        return element("p", "The region runs no service.")
    return table(
        "Services",
        ("service", "tenant", "host", "GPUs a replica", "replicas", "GPUs at most"),
        (
            (
                service.name,
                service.tenant,
                service.host if service.url else service.kind.value,
                service.gpus,
                service.extent,
                service.gpus * service.most_pods,
            )
            for service in plan.runtime.services
        ),
    )
