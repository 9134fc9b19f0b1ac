"""The buckets of a region: for Pulumi's state, and for the acceptance ledger.

Owns what they are called and what they are for; `kept_bucket.py` makes and checks them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from components.clients.s3 import REGION, S3Access
from components.plan.model import RegionPlan
from components.plan.naming import acceptance_bucket, state_bucket
from components.state.kept_bucket import KeptBucket


def acceptance(plan: RegionPlan, project: Path) -> KeptBucket:
    """The bucket of the acceptance ledger. Raises SecretError."""
    return KeptBucket(
        name=acceptance_bucket(plan.region),
        access=_access(plan, project),
        holds="ledger",
        ensured_by="region ledger upload <region>",
    )


@dataclass(frozen=True, kw_only=True)
class StateBucket(KeptBucket):
    """A bucket for the state of all stacks of a region."""

    holds: str = "state"
    ensured_by: str = "region state <region> --ensure"

    @classmethod
    def of(cls, plan: RegionPlan, project: Path) -> StateBucket:
        """The bucket that the plan names. Raises SecretError."""
        return cls(name=state_bucket(plan.region), access=_access(plan, project))

    @property
    def backend_url(self) -> str:
        """For PULUMI_BACKEND_URL; holds no secret."""
        query = urlencode({"endpoint": self.access.endpoint, "region": REGION, "s3ForcePathStyle": "true"})
        return f"s3://{quote(self.name)}?{query}"

    def environment(self) -> dict[str, str]:
        """What Pulumi must find in its environment to use the bucket. Holds the key: never print it."""
        return {
            "PULUMI_BACKEND_URL": self.backend_url,
            "AWS_ACCESS_KEY_ID": self.access.access_key,
            "AWS_SECRET_ACCESS_KEY": self.access.secret_key,
            "AWS_REGION": REGION,
            "AWS_CA_BUNDLE": str(self.access.ca.resolve()),
        }


def _access(plan: RegionPlan, project: Path) -> S3Access:
    endpoints = plan.endpoints
    return S3Access.from_references(
        project, endpoint=endpoints.s3, credentials=endpoints.credentials["s3"], ca=endpoints.ca_certificate
    )
