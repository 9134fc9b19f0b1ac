"""Whether a gateway says that it is up, asked as a name server asks. Read-only."""

from __future__ import annotations

from components.checks.judge import judged
from components.checks.result import CheckResult
from components.clients.web import CallError, call
from components.plan.model import RegionPlan

ANSWER_S = 3.0
ANSWERS = "answers"


async def asked(address: str, host: str, path: str) -> str:
    """`answers`, or what came instead; `address` may have a port."""
    try:
        answer = await call(address, host=host, path=path, timeout_s=ANSWER_S)
    except CallError as error:
        return error.reasons
    return ANSWERS if answer.status == 200 else f"HTTP {answer.status}"


async def check_health(plan: RegionPlan) -> CheckResult:
    """The region's own gateway; where the region is an edge, clients are sent here as long as it does."""
    vip, host, path = plan.runtime.gateway_vip, plan.runtime.health_host, plan.runtime.health_path
    found = await asked(vip, host, path)
    return judged(
        "runtime.health",
        good=found == ANSWERS,
        expected=f"http://{vip}{path} answers 200 to {host}",
        found=found,
        remedy="`kubectl -n gateway describe httproute health`; see docs/runbooks/EdgeUnhealthy.md",
    )
