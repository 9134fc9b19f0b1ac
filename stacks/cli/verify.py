"""Runs the read-only checks of all layers side by side and puts them in order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from components.checks.cluster import check_cluster
from components.checks.fabric import check_fabric
from components.checks.result import CheckResult, Status
from components.checks.runtime import check_runtime
from components.checks.substrate import check_substrate
from components.errors import RegionError
from components.plan.model import RegionPlan
from stacks.cli.layers import RUNBOOKS
from stacks.project import ROOT


async def _guarded(layer: str, check: Callable[[], Awaitable[list[CheckResult]]]) -> list[CheckResult]:
    """A layer that cannot even be asked is a failed check of its own, not an end of the others."""
    try:
        return await check()
    except (RegionError, OSError) as error:
        return [
            CheckResult(
                name=f"{layer}.reachable",
                status=Status.FAIL,
                expected=f"the {layer} answers",
                found=str(error),
                remedy=f"see {RUNBOOKS[layer]}",
            )
        ]


async def _verify(plan: RegionPlan, layers: tuple[str, ...], wake: bool) -> list[CheckResult]:
    checks: dict[str, Callable[[], Awaitable[list[CheckResult]]]] = {
        "fabric": lambda: check_fabric(plan, ROOT, hosts_up="cluster" in layers),
        "substrate": lambda: check_substrate(plan, ROOT),
        "cluster": lambda: check_cluster(plan, ROOT, probe=wake),
        "runtime": lambda: check_runtime(plan, ROOT, wake=wake),
    }
    results = await asyncio.gather(*(_guarded(layer, checks[layer]) for layer in layers))
    return [result for layer in results for result in layer]


def verify_region(plan: RegionPlan, layers: tuple[str, ...], *, wake: bool) -> list[CheckResult]:
    """All checks of the layers. `wake` also calls services and makes a short-lived probe of the pod network."""
    return asyncio.run(_verify(plan, layers, wake))


def record_accepted(plan: RegionPlan, results: list[CheckResult]) -> str:
    """Record the trays that the checks accept; in words what was added, empty where that is nothing.

    A ledger that cannot be written now takes nothing from what the checks found: the next run records it.
    """
    from stacks import acceptance  # boto3 is slow to import

    try:
        ledger = asyncio.run(acceptance.record_accepted(plan, results))
    except RegionError as error:
        return f"not recorded in the acceptance ledger: {error}"
    if not ledger.added and not ledger.away:
        return ""
    text = f"acceptance ledger: {ledger.added:,} trays accepted, head {ledger.head or 'none'}"
    return text + (f"; not in the store yet: {ledger.away}" if ledger.away else "")
