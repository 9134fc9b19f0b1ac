"""Whether each tenant's bucket is its own. Read-only: asks the store with the keys that pods are given.

A key is tried on its own bucket and on a neighbour's, because a store that opens all to everybody would answer the
first question well.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from botocore.exceptions import BotoCoreError

from components.checks.judge import judged
from components.checks.result import CheckResult
from components.checks.tenants import RUNTIME_REMEDY
from components.clients.kubernetes import Kubernetes, Object
from components.clients.redaction import register
from components.clients.s3 import S3Access, opens
from components.clients.secrets import reference_path
from components.plan.model import RegionPlan
from components.plan.tenancy.bucket import ACCESS_KEY, SECRET, SECRET_KEY, variables
from components.plan.tenants import TenantPlan


async def check_buckets(plan: RegionPlan, project: Path, api: Kubernetes) -> list[CheckResult]:
    """One result a tenant. Raises KubernetesError."""
    tenants = plan.cluster.tenants
    neighbours = (*tenants[1:], *tenants[:1])

    async def check(tenant: TenantPlan, neighbour: TenantPlan) -> CheckResult:
        secret = await api.find(f"/api/v1/namespaces/{tenant.namespace}/secrets/{SECRET}")
        told = _values(secret or {})
        buckets = dict.fromkeys((tenant.bucket, neighbour.bucket) if told else ())
        found = {bucket: await asyncio.to_thread(_answer, plan, project, told, bucket) for bucket in buckets}
        return judge_bucket(plan, tenant, told, found)

    return list(await asyncio.gather(*map(check, tenants, neighbours)))


def judge_bucket(
    plan: RegionPlan, tenant: TenantPlan, told: Mapping[str, str], found: Mapping[str, bool | str | None]
) -> CheckResult:
    """`told` is what the Secret holds; `found`, by bucket, whether its key opens it, or why nobody knows."""
    planned = variables(tenant.bucket, plan.endpoints.s3)
    wrong = [f"{SECRET} tells another {key}" for key, value in planned.items() if told.get(key) != value]
    if not told:
        wrong = [f"there is no Secret {SECRET}"]
    for bucket, is_open in found.items():
        is_own = bucket == tenant.bucket
        if isinstance(is_open, str):
            wrong.append(f"{bucket}: {is_open}")
        elif is_own and not is_open:
            wrong.append(f"{bucket} is not there" if is_open is None else f"its key does not open {bucket}")
        elif is_open and not is_own:
            wrong.append(f"its key opens {bucket}, which is another tenant's")
    return judged(
        f"runtime.tenant.{tenant.name}.bucket",
        good=not wrong,
        expected=f"the key of pods opens {tenant.bucket}, and no other tenant's bucket",
        found="; ".join(wrong) or "so it is",
        remedy=f"`pulumi refresh`, then {RUNTIME_REMEDY}; `aws s3api get-bucket-policy` shows what opens a bucket",
    )


def _values(secret: Object) -> dict[str, str]:
    data = cast("Mapping[str, str]", secret.get("data") or {})
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def _answer(plan: RegionPlan, project: Path, told: Mapping[str, str], bucket: str) -> bool | str | None:
    access = S3Access(
        endpoint=plan.endpoints.s3,
        access_key=told.get(ACCESS_KEY, ""),
        secret_key=register(told.get(SECRET_KEY, "")),
        ca=reference_path(project, plan.endpoints.ca_certificate),
    )
    try:
        return opens(access, bucket)
    except (BotoCoreError, ValueError) as error:
        return str(error)
