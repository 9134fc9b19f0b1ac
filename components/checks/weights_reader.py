"""Whether the caches of weights read their bucket and may do nothing else. Read-only: asks the store, writes nothing.

That the account cannot write is told by the bucket's policy, as a try would leave something there if it could.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from botocore.exceptions import BotoCoreError

from components.checks.judge import judged
from components.checks.result import CheckResult
from components.checks.tenants import RUNTIME_REMEDY
from components.clients.bucket_policy import BucketPolicy
from components.clients.object_accounts import AccountError
from components.clients.s3 import S3Access, opens
from components.plan.inventory import weights_credentials
from components.plan.model import RegionPlan
from components.plan.naming import WEIGHTS_BUCKET


async def check_weights_reader(plan: RegionPlan, project: Path) -> list[CheckResult]:
    """One result. Raises SecretError."""
    operator, reader = (
        S3Access.from_references(project, endpoint=plan.endpoints.s3, credentials=key, ca=plan.endpoints.ca_certificate)
        for key in (plan.endpoints.credentials["s3"], weights_credentials(plan))
    )
    policy = BucketPolicy(bucket=WEIGHTS_BUCKET, access=operator)
    try:
        is_open = await asyncio.to_thread(opens, reader, WEIGHTS_BUCKET)
        reads_only = bool(is_open) and await asyncio.to_thread(policy.lets_read, reader.access_key)
    except (AccountError, BotoCoreError, ValueError) as error:
        return [judge_reader(str(error), reads_only=False)]
    return [judge_reader(is_open, reads_only=reads_only)]


def judge_reader(is_open: bool | str | None, *, reads_only: bool) -> CheckResult:
    """`is_open`: whether the key opens the bucket, None without a bucket, or why nobody knows."""
    found = {True: "so it is" if reads_only else "the policy of the bucket says something else"}
    found |= {False: "the key does not open it", None: "no such bucket"}
    return judged(
        "runtime.weights.reader",
        good=is_open is True and reads_only,
        expected=f"the key of the caches reads bucket {WEIGHTS_BUCKET}, and nobody else's but the operator's opens it",
        found=is_open if isinstance(is_open, str) else found[is_open],
        remedy=f"`pulumi refresh`, then {RUNTIME_REMEDY}",
    )
