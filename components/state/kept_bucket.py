"""A bucket in an object store of the operator's own that is kept.

Owns that it exists, keeps every version of an object, and is closed to everybody without a key. Deliberately does not
empty or delete it: what is in it can only be rebuilt by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from botocore.exceptions import BotoCoreError, ClientError

from components.checks.judge import judged
from components.checks.result import CheckResult
from components.clients.s3 import S3Access, anonymous_client, s3_client
from components.errors import DeviceError, Problem

NO_PUBLIC_ACCESS = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
UNSUPPORTED = frozenset({"NotImplemented", "MethodNotAllowed", "XNotImplemented"})
"""A store that has no block of public access is still checked for being closed."""


class BucketError(DeviceError):
    """The bucket cannot be made, or is not fit to be kept."""


@dataclass(frozen=True, kw_only=True)
class KeptBucket:
    """One bucket."""

    name: str
    access: S3Access
    holds: str
    """What it is for, in a word: its checks are called by it."""
    ensured_by: str
    """The command that makes it, or makes it fit."""

    def ensure(self) -> bool:
        """Make the bucket, or make it fit; whether something had to be done. Raises BucketError."""
        client = s3_client(self.access)
        changed = [self._make(client), self._keep_versions(client), self._close(client)]
        wrong = [result for result in self.check() if result.remedy]
        if wrong:
            raise BucketError(
                f"bucket {self.name} is not fit to hold the {self.holds}",
                [
                    Problem(path=r.name, message=r.expected, found=r.found, allowed=r.expected, remedy=r.remedy)
                    for r in wrong
                ],
            )
        return any(changed)

    def check(self) -> list[CheckResult]:
        """Exists, keeps versions, is closed. Changes nothing. Raises BucketError if the store does not answer."""
        client = s3_client(self.access)
        if not self._exists(client):
            return [
                judged(
                    f"{self.holds}.bucket",
                    good=False,
                    expected=f"bucket {self.name} at {self.access.endpoint}",
                    found="no such bucket",
                    remedy=f"make it: `{self.ensured_by}`",
                )
            ]
        versions = self._call(lambda: client.get_bucket_versioning(Bucket=self.name)).get("Status", "never enabled")
        return [
            judged(
                f"{self.holds}.bucket.versions",
                good=versions == "Enabled",
                expected="every version of an object is kept",
                found=f"versioning: {versions}",
                remedy=f"make it so: `{self.ensured_by}`",
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
            f"{self.holds}.bucket.closed",
            good=status != 200,
            expected="a request without a key is refused",
            found=f"HTTP {status}",
            remedy=f"remove what opens it: `aws s3api delete-bucket-policy --bucket {self.name}`, and its ACL; "
            f"then change every secret that the {self.holds} may have held",
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
        """An answer; refusals that the caller does not expect become BucketError."""
        try:
            return request()
        except ClientError as error:
            if _status(error) in pass_on:
                raise
            raise self._failure(error) from error
        except BotoCoreError as error:
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> BucketError:
        problem = Problem(
            path=f"{self.access.endpoint}/{self.name}",
            message="the object store does not do what was asked",
            found=str(error),
            remedy="is the store up, the key the right one, and the name not taken by somebody else?",
        )
        return BucketError(f"the bucket of the {self.holds} cannot be used", [problem])


def _status(error: ClientError) -> int:
    return int(cast("Any", error.response)["ResponseMetadata"]["HTTPStatusCode"])


def _code(error: ClientError) -> str:
    return str(cast("Any", error.response)["Error"].get("Code"))
