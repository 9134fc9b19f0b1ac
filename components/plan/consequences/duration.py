"""How long a change takes: what runs side by side, what waits for what.

Machines of all racks are worked on at once, but for the engine's budgets (budgets.py); playbooks run one after
the other, and hosts join at the cluster's pace.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import ceil

from components.plan.actions import ActionKind
from components.plan.budgets import CLEANS, DEPLOYS, DESTRUCTIVE_PER_RACK
from components.plan.consequences.costs import JOIN, SETTLE, Cost, CostTable
from components.plan.consequences.hosts import HostChange
from components.plan.consequences.model import Duration, DurationPart, PowerChange
from components.plan.consequences.planned import Planned
from components.plan.model import RegionPlan
from components.words import count as words


def duration(
    planned: Sequence[Planned], change: HostChange, power: PowerChange | None, plan: RegionPlan, costs: CostTable
) -> Duration:
    """The estimate with its parts; parts of fabric and substrate run side by side."""
    fabric = tuple(_fabric(planned, plan, costs))
    substrate = (*_energising(power), *_substrate(planned, change, plan, costs))
    later = tuple(part for layer in ("cluster", "runtime") for part in _runs(planned, layer, change, plan, costs))
    below = max(_sum(fabric), _sum(substrate))
    return Duration(seconds=below + _sum(later), parts=(*fabric, *substrate, *later))


def _sum(parts: Iterable[DurationPart]) -> int:
    return sum(part.seconds for part in parts)


def _fabric(planned: Iterable[Planned], plan: RegionPlan, costs: CostTable) -> Iterator[DurationPart]:
    count = sum(p.action.kind is ActionKind.CONFIGURE for p in planned)
    if not count:
        return
    model = next((switch.model for switch in plan.fabric.switches), "")
    cost = costs.cost(ActionKind.CONFIGURE, costs.class_of(model))
    settle = costs.cost(SETTLE, costs.class_of(model))
    yield _part(
        "fabric", f"configure {words(count, 'switch', 'switches')} at once, and look at the sessions", cost, settle
    )


def _part(layer: str, what: str, *costs: Cost, times: int = 1) -> DurationPart:
    sources = "; ".join(dict.fromkeys(cost.source for cost in costs))
    seconds = ceil(sum(cost.seconds for cost in costs) * times)
    return DurationPart(layer=layer, what=what, seconds=seconds, source=sources)


def _energising(power: PowerChange | None) -> Iterator[DurationPart]:
    if power is None:
        return
    seconds = sum(step.count * step.rest_s for step in power.steps)
    if seconds:
        steps = sum(step.count for step in power.steps)
        yield DurationPart(
            layer="substrate",
            what=f"switch load in {words(steps, 'step', 'steps')}",
            seconds=seconds,
            source="power.step_s",
        )


def _substrate(
    planned: Iterable[Planned], change: HostChange, plan: RegionPlan, costs: CostTable
) -> Iterator[DurationPart]:
    """The slowest rack, or what one Ironic does at a time, whichever is longer."""
    profiles = {rack.name: rack.profile for rack in plan.racks}
    chains: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    totals: dict[ActionKind, float] = defaultdict(float)
    sources: dict[str, None] = {}
    trays: set[str] = set()
    for p in planned:
        if p.rack is None or not p.is_physical:
            continue
        cost = costs.cost(p.action.kind, costs.class_of(profiles.get(p.rack, "")))
        chains[p.rack][p.action.target] += cost.seconds
        totals[p.action.kind] += cost.seconds
        sources[cost.source] = None
        trays.add(p.action.target)
    if not chains:
        return
    rolling = change.ending & change.starting
    slowest = max(chains, key=lambda rack: (_rack_s(chains[rack], rolling), rack))
    bounds = {
        f"the slowest rack, {slowest}": _rack_s(chains[slowest], rolling),
        f"{CLEANS} wipes at a time": totals[ActionKind.CLEAN] / CLEANS,
        f"{DEPLOYS} deploys at a time": totals[ActionKind.DEPLOY] / DEPLOYS,
    }
    by = max(bounds, key=lambda bound: bounds[bound])
    yield DurationPart(
        layer="substrate",
        what=f"{words(len(trays), 'tray', 'trays')} in {words(len(chains), 'rack', 'racks')}; bound by {by}",
        seconds=ceil(bounds[by]),
        source="; ".join(sources),
    )


def _rack_s(chains: Mapping[str, float], rolling: frozenset[str]) -> float:
    """Trays side by side, but hosts in service only as many at a time as the budget allows."""
    held = [seconds for tray, seconds in chains.items() if tray in rolling]
    others = [seconds for tray, seconds in chains.items() if tray not in rolling]
    waves = ceil(len(held) / DESTRUCTIVE_PER_RACK)
    return max(waves * max(held, default=0), max(others, default=0))


def _runs(
    planned: Iterable[Planned], layer: str, change: HostChange, plan: RegionPlan, costs: CostTable
) -> Iterator[DurationPart]:
    runs = [p for p in planned if p.layer == layer and p.action.kind is ActionKind.RUN_PLAYBOOK]
    if not runs:
        return
    profile = next((rack.profile for rack in plan.racks), "")
    of = costs.class_of(profile)
    names = ", ".join(p.action.target.removesuffix(".yml") for p in runs)
    yield _part(layer, f"run {names}, one after the other", costs.cost(ActionKind.RUN_PLAYBOOK, of), times=len(runs))
    joining = len(change.starting)
    if layer == "cluster" and joining:
        waves = ceil(joining / plan.cluster.join_pace)
        what = f"join {words(joining, 'host', 'hosts')}, {plan.cluster.join_pace} at a time"
        yield _part(layer, what, costs.cost(JOIN, of), times=waves)
