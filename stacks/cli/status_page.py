"""`region status --html`: reads what the status page shows. A part that does not answer is told on the page, not an end."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar, cast

from components.checks.explain_model import Cause, Explanation, Object, Seen, within
from components.checks.explain_pods import is_ready
from components.checks.judge import name_of
from components.checks.metering_cost import Bill
from components.checks.runtime_objects import claimed_devices
from components.checks.tenant_state import TenantState
from components.errors import RegionError
from components.plan.model import RegionPlan, TrayRole
from components.plan.status import (
    GpuLine,
    Level,
    ReplicaLine,
    ServiceLine,
    Status,
    TenantLine,
    render_status,
)
from stacks.cli import written
from stacks.cli.edge_state import read_edges
from stacks.cli.service import seen_services
from stacks.cli.tenant import tenant_states
from stacks.cli.usage import metered, month_until

Part = TypeVar("Part")
Found = Sequence[tuple[Seen, Explanation]]
LEVELS = {
    Cause.SERVING: Level.GOOD,
    Cause.FINISHED: Level.GOOD,
    Cause.ASLEEP: Level.IDLE,
    Cause.STARTING: Level.BUSY,
    Cause.QUOTA: Level.WARN,
    Cause.HELD: Level.WARN,
    Cause.ROLLOUT: Level.WARN,
}
"""Of causes; all others need somebody."""


def write_status_page(plan: RegionPlan, path: Path) -> Status:
    """Read the region and write the page; what was read is given back."""
    status = read_status(plan)
    written.write(path, render_status(status))
    return status


def read_status(plan: RegionPlan) -> Status:
    """All of it, each part by itself."""
    now = time.time()
    unread: list[tuple[str, str]] = []

    def part(names: Iterable[str], read: Callable[[], Part]) -> Part | None:
        try:
            return read()
        except (RegionError, OSError) as error:
            why = error.reasons if isinstance(error, RegionError) else str(error)
            unread.extend((name, why) for name in names)
            return None

    found = part(("services", "replicas", "gpus"), lambda: seen_services(plan, plan.runtime.services))
    tenants = part(("tenants",), lambda: tenant_states(plan, plan.cluster.tenants))
    used = part(("cost",), lambda: metered(plan, month_until(now), now)[0])
    edges = part(("edges",), lambda: read_edges(plan))
    return Status(
        region=plan.region,
        at=datetime.fromtimestamp(now, UTC),
        tenants=None if tenants is None else tuple(_tenants(plan, tenants, used)),
        services=None if found is None else service_lines(found, used),
        replicas=None if found is None else replica_lines(found),
        gpus=None if found is None else gpu_lines(plan, found),
        edges=edges,
        cost_eur=None if used is None else round(sum(bill.eur for bill in used), 2),
        unread=tuple(unread),
    )


def service_lines(found: Found, used: Sequence[Bill] | None) -> tuple[ServiceLine, ...]:
    """One line a service."""
    costs = {f"{bill.usage.tenant}/{bill.usage.service}": bill.eur for bill in used or ()}
    return tuple(
        ServiceLine(
            key=seen.service.key,
            kind=seen.service.kind.value,
            level=LEVELS.get(why.cause, Level.BAD),
            state=why.cause.value.replace("-", " "),
            says=why.says,
            evidence=why.evidence,
            next_step=why.next_step,
            ready=why.ready,
            wanted=why.wanted,
            gpus=sum(len(claimed_devices(seen.claims, frozenset({name_of(pod)}))) for pod in seen.pods),
            eur=None if used is None else costs.get(seen.service.key, 0.0),
        )
        for seen, why in found
    )


def replica_lines(found: Found) -> tuple[ReplicaLine, ...]:
    """One line a pod."""
    return tuple(
        ReplicaLine(
            service=seen.service.key,
            pod=name_of(pod),
            node=str(pod["spec"].get("nodeName") or ""),
            devices=tuple(claimed_devices(seen.claims, frozenset({name_of(pod)}))),
            is_ready=is_ready(pod),
        )
        for seen, _ in found
        for pod in seen.pods
    )


def gpu_lines(plan: RegionPlan, found: Found) -> tuple[GpuLine, ...]:
    """One line a host with GPUs."""
    if not found:
        return ()
    seen = found[0][0]
    published: dict[str, int] = defaultdict(int)
    for each in seen.slices:
        published[str(each["spec"].get("nodeName") or "")] += len(each["spec"].get("devices") or ())
    held: dict[str, list[str]] = defaultdict(list)
    for claim in seen.claims:
        for node, holder in _holders(claim):
            held[node].append(holder)
    return tuple(
        GpuLine(
            node=host.name,
            model=host.gpu_model,
            level=Level.GOOD if published[host.name] == host.gpus else Level.BAD,
            published=published[host.name],
            planned=host.gpus,
            claimed=len(held[host.name]),
            holders=tuple(dict.fromkeys(held[host.name])),
        )
        for host in plan.deployed_hosts
        if host.role is TrayRole.GPU_WORKER
    )


def _holders(claim: Object) -> Iterable[tuple[str, str]]:
    """Host and holder of each device of a claim."""
    users = cast("list[Object]", within(claim, "status").get("reservedFor") or [])
    pods = [str(user["name"]) for user in users]
    for device in cast("list[Object]", within(claim, "status", "allocation", "devices").get("results") or []):
        yield str(device["pool"]), f"{claim['metadata']['namespace']}/{', '.join(pods) or 'nobody yet'}"


def _tenants(plan: RegionPlan, found: Sequence[TenantState], used: Sequence[Bill] | None) -> Iterable[TenantLine]:
    for each in found:
        name, budget = each.tenant.name, each.tenant.budget
        spent = None if used is None else round(sum(bill.eur for bill in used if bill.usage.tenant == name), 2)
        level, state = Level.GOOD, "good"
        if each.is_held:
            level, state = Level.BAD, "held by budget"
        elif each.queue:
            level, state = Level.BAD, "queue takes no work"
        elif each.waiting:
            level, state = Level.WARN, "waits"
        yield TenantLine(
            name=name,
            level=level,
            state=state,
            services=sum(service.tenant == name for service in plan.runtime.services),
            gpus_used=each.gpus[0],
            gpus_allowed=each.gpus[1],
            pods_used=each.pods[0],
            pods_allowed=each.pods[1],
            waiting=each.waiting,
            budget_eur=budget.month_eur if budget else None,
            spent_eur=spent,
        )
