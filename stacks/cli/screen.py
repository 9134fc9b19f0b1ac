"""A region on one screen, however large it is: counts, and power as bars against what there is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from components.plan.cost import euros
from components.plan.model import RegionPlan
from components.plan.summary import PowerLine, Summary, summary
from components.words import count

BAR = 24
"""Characters of a full bar."""
NEAR = 0.98
"""Share of a budget from which it is told apart."""


def screen(plan: RegionPlan) -> Group:
    """Everything that `region show` prints."""
    seen = summary(plan)
    return Group(*_parts(plan, seen))


def _parts(plan: RegionPlan, seen: Summary) -> Iterator[RenderableType]:
    yield from _head(seen)
    halls = (
        (h.name, f"{h.rows} x {h.racks_per_row}", h.racks, h.free, h.gpus, _range(h.units), _range(h.islands))
        for h in seen.halls
    )
    yield _table("halls", ("hall", "rows x places", "racks", "free", "GPUs", "units", "islands"), halls)
    kinds = (
        (p.profile, p.gpu_model, p.racks, p.trays, p.spare_trays, p.gpus, _kw(p.planned_kw)) for p in seen.profiles
    )
    yield _table("racks", ("kind", "GPU", "racks", "trays", "spare", "GPUs", "kW when full"), kinds)
    if plan.networks.compute:
        islands = ((str(i.number), f"{i.units} of {i.design_units}", i.racks, i.gpus) for i in seen.islands)
        yield _table("compute islands", ("island", "units", "racks", "GPUs"), islands)
    yield _power(plan, seen)
    networks = (
        (
            n.network,
            ", ".join(f"{count:,} {tier}" for tier, count in n.switches),
            n.model,
            n.endpoints,
            n.cables,
            n.note,
        )
        for n in seen.networks
    )
    yield _table("networks", ("network", "switches", "model", "endpoints", "cables", "what it is"), networks)
    clusters = ((c.name, c.kubernetes, c.nodes, c.racks, c.gpus) for c in seen.clusters)
    yield _table("clusters", ("cluster", "Kubernetes", "nodes", "racks", "GPUs in service"), clusters)
    tenants = ((t.name, t.gpus, t.pods) for t in plan.cluster.tenants)
    yield _table("tenants", ("tenant", "GPU quota", "pod quota"), tenants)
    services = ((s.name, s.tenant, s.gpus, s.extent, s.url or s.kind.value) for s in plan.runtime.services)
    yield _table(
        f"services, by gateway {seen.gateway_address}", ("service", "tenant", "GPUs", "replicas", "address"), services
    )


def _head(seen: Summary) -> Iterator[Text]:
    n = seen.numbers
    yield Text.assemble((seen.region, "bold"), f"  {seen.site}, {seen.country}  {seen.domain}")
    if seen.provisional:
        yield Text("provisional: it stands on figures that are not settled, and is never brought up", style="yellow")
    domains = f", {n.nvlink_domains:,} NVLink domains" if n.nvlink_domains else ""
    yield Text.assemble((f"{n.gpus:,} GPUs", "bold"), f", {n.serving_gpus:,} in service{domains}")
    yield Text(
        f"{count(n.racks, 'rack')} with {count(n.trays, 'tray')}: {count(n.nodes, 'node')}, {n.spare_trays:,} spare; {n.received_trays:,} received"
    )


def _power(plan: RegionPlan, seen: Summary) -> Group:
    table = Table.grid(padding=(0, 2))
    for line in (*seen.of_level("site"), *seen.of_level("feed")):
        table.add_row(f"  {line.name}", _bar(line), f"{line.share:7.1%}", _of(line), line.note)
    rows = seen.of_level("row")
    fullest = max(rows, key=lambda row: row.share)
    table.add_row(
        "  fullest row",
        _bar(fullest),
        f"{fullest.share:7.1%}",
        _of(fullest),
        f"{fullest.name}, of {len(rows)}",
    )
    return Group(Text("\npower", style="bold"), table, *(Text(f"  {each}", style="dim") for each in _said(plan)))


def _said(plan: RegionPlan) -> Iterator[str]:
    power = plan.power
    if power.switches_kw:
        yield (
            f"({power.it_kw - power.switches_kw:,.1f} kW of racks + {power.switches_kw:,.1f} kW of switches)"
            f" x PUE {power.pue:g} = {power.facility_kw:,.1f} kW; switches count with their most, and draw about"
            f" {power.switches_typical_kw:,.1f} kW in service"
        )
    for cap in power.caps:
        yield (
            f"cap of {cap.cap_kw:g} kW: {cap.gpu_watts} W - ({cap.planned_kw:g} - {cap.cap_kw:g}) kW / {cap.gpus} GPUs"
            f" = {cap.gpu_limit_watts} W a GPU; rows are held against {cap.planned_kw:g} kW"
        )
    for left_out in power.not_counted:
        yield f"not counted: {left_out}"
    lost = (
        f"with {count(power.spare_feeds, 'feed')} lost the others carry {power.surviving_kw:,.0f} kW; "
        if power.spare_feeds
        else ""
    )
    yield (
        f"{lost}switched on in {count(len(power.steps), 'step')}, {power.energise_s // 60} min;"
        f" {euros(power.eur_per_hour)}/h at full load"
    )


def _bar(line: PowerLine) -> Text:
    full = min(BAR, round(line.share * BAR))
    return Text.assemble(("█" * full, "yellow" if line.share >= NEAR else "green"), ("░" * (BAR - full), "dim"))


def _of(line: PowerLine) -> str:
    digits = 0 if line.budget_kw >= 100 else 1
    return f"{line.kw:,.{digits}f} of {line.budget_kw:,.{digits}f} kW"


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[str | int]]) -> Group:
    lines = [list(row) for row in rows]
    table = Table.grid(padding=(0, 2))
    for place in range(len(head)):
        is_number = bool(lines) and isinstance(lines[0][place], int)
        table.add_column(justify="right" if is_number else "left", overflow="fold")
    table.add_row(*(Text(("  " if not place else "") + name, style="dim") for place, name in enumerate(head)))
    for line in lines:
        cells = [f"{cell:,}" if isinstance(cell, int) else cell for cell in line]
        table.add_row(*(Text(("  " if not place else "") + cell) for place, cell in enumerate(cells)))
    return Group(Text(f"\n{title}", style="bold"), table)


def _range(numbers: Sequence[int]) -> str:
    """`1-16`, or each where there is a gap."""
    if len(numbers) > 1 and numbers[-1] - numbers[0] + 1 == len(numbers):
        return f"{numbers[0]}-{numbers[-1]}"
    return ", ".join(map(str, numbers))


def _kw(kw: float | None) -> str:
    return "unknown" if kw is None else f"{kw:,.1f}"
