"""Whether the registry lets hosts read what the region runs, and nobody what is a tenant's. Read-only.

Both are asked without a key, because a registry that refused all would answer the second question well.
"""

from __future__ import annotations

from pathlib import Path

from components.checks.judge import judged
from components.checks.result import CheckResult, Status
from components.clients.image_registry import RegistryError, anonymous_status
from components.clients.secrets import ca_context
from components.plan.model import RegionPlan
from components.plan.naming import TENANT_IMAGES

RUNBOOK = "docs/runbooks/FunctionDoesNotWake.md"
_NOBODYS = f"{TENANT_IMAGES}region-verify/none"
"""No tenant's: who may read a prefix is decided before whether anything is there."""


async def check_registry(plan: RegionPlan, project: Path) -> CheckResult:
    """One result. Raises SecretError."""
    tls = ca_context(project, plan.endpoints.ca_certificate)
    # By address: who verifies a region need not use its name servers.
    registry = f"{plan.endpoints.address}:{plan.endpoints.registry.rpartition(':')[2]}"
    own, _, digest = plan.cluster.images[0].reference.partition("/")[2].partition("@")
    try:
        found = (
            await anonymous_status(registry, own, digest, tls),
            await anonymous_status(registry, _NOBODYS, "latest", tls),
        )
    except RegistryError as error:
        return judge_registry(registry, error.reasons)
    return judge_registry(registry, found)


def judge_registry(registry: str, found: tuple[int, int] | str) -> CheckResult:
    """`found`: HTTP status of an image of the region and of a tenant's, asked without a key; or why nobody knows. A
    region without guarded prefixes works, and keeps no tenant's images apart."""
    return judged(
        "runtime.registry",
        good=found == (200, 401),
        expected=f"{registry} shows without a key what the region runs, and nothing of a tenant",
        found=found
        if isinstance(found, str)
        else f"HTTP {found[0]} for an image of the region, {found[1]} for a tenant's",
        remedy=f"look at the registry's `auth.token` and at the issuer of its tokens; see {RUNBOOK}",
        bad=Status.WARN if not isinstance(found, str) and found[0] == 200 else Status.FAIL,
    )
