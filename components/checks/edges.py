"""Whether the name servers see the edges well, and steer as the plan says. Read-only.

Owns the judgement of what gdnsd tells of itself (`gdnsdctl states`); how a name server is reached is the caller's.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import cast

from components.checks.judge import judged
from components.checks.result import CheckResult, Status
from components.errors import RegionError
from components.plan.edges.model import NameServerPlan, SteeringPlan

RUNBOOK = "docs/runbooks/EdgeUnhealthy.md"
COMMAND = "gdnsdctl states"
SERVICE_TYPE = "edge"
_UP = "UP"

Run = Callable[[NameServerPlan, str], Awaitable[str]]
"""Output of a command on a name server."""
States = Mapping[str, Mapping[str, str]]
"""What is watched -> `state`, which answers follow, and `real_state`, without what people have forced."""


async def check_edges(plan: SteeringPlan, run: Run) -> list[CheckResult]:
    """All checks, of each name server by itself: each one looks at the edges with its own eyes."""
    results: list[CheckResult] = []
    for server in plan.name_servers:
        try:
            states = cast("States", json.loads(await run(server, COMMAND)))
        except (RegionError, OSError, ValueError) as error:
            results.append(
                judged(
                    f"edges.server.{server.name}",
                    good=False,
                    expected=f"`{COMMAND}` answers",
                    found=str(error) or type(error).__name__,
                    remedy=f"start gdnsd on {server.name} ({server.address}); see {RUNBOOK}",
                )
            )
            continue
        results += check_states(plan, server, states)
    return results


def check_states(plan: SteeringPlan, server: NameServerPlan, states: States) -> Iterator[CheckResult]:
    """One name server: what it steers, what it sees, what people have forced."""
    pools = [pool for pool in plan.pools if pool.sovereignty in server.classes]
    expected = {f"geoip/{pool.name}/{region}" for pool in pools for region in pool.regions}
    found = {key for key in states if key.startswith("geoip/")}
    yield judged(
        f"edges.server.{server.name}",
        good=found == expected,
        expected=f"{len(pools)} pools with the edges of the plan",
        found=_difference(expected, found) or f"{len(pools)} pools",
        remedy=f"run playbooks/ops/edge_dns.yml for {server.name}: its configuration is not that of the plan",
    )
    for region in sorted({region for pool in pools for region in pool.regions}):
        edge = plan.edge(region)
        state = states.get(f"{edge.address}/{SERVICE_TYPE}", {}).get("real_state", "not watched")
        yield judged(
            f"edges.health.{region}.{server.name}",
            good=state == _UP,
            expected=f"http://{edge.address}:{plan.health.port}{plan.health.path} answers {server.name}",
            found=state,
            remedy=f"see {RUNBOOK}",
        )
    forced = sorted(key for key, each in states.items() if each.get("state") != each.get("real_state"))
    yield judged(
        f"edges.forced.{server.name}",
        good=not forced,
        expected="no edge is kept in or out by hand",
        found=", ".join(f"{key} is kept {states[key].get('state')}" for key in forced) or "none",
        remedy="take it out of /var/lib/gdnsd/admin_state on the name server when the work is done",
        bad=Status.WARN,
    )


def _difference(expected: set[str], found: set[str]) -> str:
    words = [f"{key} is missing" for key in sorted(expected - found)]
    words += [f"{key} is not of the plan" for key in sorted(found - expected)]
    return "; ".join(words)
