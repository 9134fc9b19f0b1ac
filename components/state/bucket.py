"""The bucket that holds Pulumi's state.

Owns one bucket in an object store of the operator's own: that it exists, keeps every version of an
object, and is closed to everybody without a key. Deliberately does not empty or delete it: whoever
loses the state of a region can only rebuild it by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, urlencode

from botocore.exceptions import BotoCoreError, ClientError

from components.checks.judge import judged
from components.checks.result import CheckResult
from components.clients.s3 import REGION, S3Access, anonymous_client, s3_client
from components.errors import DeviceError, Problem
from components.plan.model import RegionPlan
from components.plan.naming import state_bucket

NO_PUBLIC_ACCESS = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
UNSUPPORTED = frozenset({"NotImplemented", "MethodNotAllowed", "XNotImplemented"})
"""A store that has no block of public access is still checked for being closed."""


class StateBucketError(DeviceError):
    """The bucket cannot be made, or is not fit to hold state."""


@dataclass(frozen=True, kw_only=True)
class StateBucket:
    """A bucket for the state of all stacks of a region."""

    name: str
    access: S3Access

    @classmethod
    def of(cls, plan: RegionPlan, project: Path) -> StateBucket:
        """The bucket that the plan names. Raises SecretError."""
        endpoints = plan.endpoints
        access = S3Access.from_references(
            project, endpoint=endpoints.s3, credentials=endpoints.credentials["s3"], ca=endpoints.ca_certificate
        )
        return cls(name=state_bucket(plan.region), access=access)

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

    def ensure(self) -> bool:
        """Make the bucket fit to hold state; whether something had to be done. Raises StateBucketError."""
        client = s3_client(self.access)
        changed = [self._make(client), self._keep_versions(client), self._close(client)]
        wrong = [result for result in self.check() if result.remedy]
        if wrong:
            raise StateBucketError(
                f"bucket {self.name} is not fit to hold state",
                [
                    Problem(path=r.name, message=r.expected, found=r.found, allowed=r.expected, remedy=r.remedy)
                    for r in wrong
                ],
            )
        return any(changed)

    def check(self) -> list[CheckResult]:
        """Exists, keeps versions, is closed. Changes nothing. Raises StateBucketError if the store does not answer."""
        client = s3_client(self.access)
        if not self._exists(client):
            return [
                judged(
                    "state.bucket",
                    good=False,
                    expected=f"bucket {self.name} at {self.access.endpoint}",
                    found="no such bucket",
                    remedy="make it: `region state <region> --ensure`",
                )
            ]
        versions = self._call(lambda: client.get_bucket_versioning(Bucket=self.name)).get("Status", "never enabled")
        return [
            judged(
                "state.bucket.versions",
                good=versions == "Enabled",
                expected="every version of an object is kept",
                found=f"versioning: {versions}",
                remedy="make it so: `region state <region> --ensure`",
            ),
            self._check_closed(),
        ]

    def _check_closed(self) -> CheckResult:
        everybody = anonymous_client(self.access)
        status = 200
        try:
            self._call(lambda: everybody.list_objects_v2(Bucket=self.name, MaxKeys=1), pass_on=frozenset({403, 401}))
        except ClientError as error:
            status = _status(error)
        return judged(
            "state.bucket.closed",
            good=status != 200,
            expected="a request without a key is refused",
            found=f"HTTP {status}",
            remedy=f"remove what opens it: `aws s3api delete-bucket-policy --bucket {self.name}`, and its ACL; "
            "then change every secret that the state may have held",
        )

    def _exists(self, client: Any) -> bool:
        try:
            self._call(lambda: client.head_bucket(Bucket=self.name), pass_on=frozenset({404}))
        except ClientError:
            return False
        return True

    def _make(self, client: Any) -> bool:
        if self._exists(client):
            return False
        try:
            self._call(lambda: client.create_bucket(Bucket=self.name), pass_on=frozenset({409}))
        except ClientError as error:
            # Two first runs at once: the other one made it.
            if _code(error) == "BucketAlreadyOwnedByYou":
                return False
            raise self._failure(error) from error
        return True

    def _keep_versions(self, client: Any) -> bool:
        if self._call(lambda: client.get_bucket_versioning(Bucket=self.name)).get("Status") == "Enabled":
            return False
        wanted = {"Status": "Enabled"}
        self._call(lambda: client.put_bucket_versioning(Bucket=self.name, VersioningConfiguration=wanted))
        return True

    def _close(self, client: Any) -> bool:
        """Block public access, where the store knows how; the check sees to it that the bucket is closed."""
        try:
            found = client.get_public_access_block(Bucket=self.name)["PublicAccessBlockConfiguration"]
            if found == NO_PUBLIC_ACCESS:
                return False
        except ClientError as error:
            if _code(error) in UNSUPPORTED:
                return False
        self._call(
            lambda: client.put_public_access_block(Bucket=self.name, PublicAccessBlockConfiguration=NO_PUBLIC_ACCESS)
        )
        return True

    def _call(self, request: Callable[[], Any], *, pass_on: frozenset[int] = frozenset()) -> Any:
        """An answer; refusals that the caller does not expect become StateBucketError."""
        try:
            return request()
        except ClientError as error:
            if _status(error) in pass_on:
                raise
            raise self._failure(error) from error
        except BotoCoreError as error:
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> StateBucketError:
        problem = Problem(
            path=f"{self.access.endpoint}/{self.name}",
            message="the object store does not do what was asked",
            found=str(error),
            remedy="is the store up, the key the right one, and the name not taken by somebody else?",
        )
        return StateBucketError("the state bucket cannot be used", [problem])


def _status(error: ClientError) -> int:
    return int(cast("Any", error.response)["ResponseMetadata"]["HTTPStatusCode"])


def _code(error: ClientError) -> str:
    return str(cast("Any", error.response)["Error"].get("Code"))
