"""The acceptance ledger in the region's object store: one object a batch, written once.

Owns the two rules of the store: an object is only made where there is none (If-None-Match), and one that is there
already is either the same, byte for byte, or somebody else wrote a ledger of this region. Deliberately has no way to
delete or replace an object.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from botocore.exceptions import BotoCoreError, ClientError

from components.clients.acceptance_folder import RUNBOOK, LedgerError
from components.clients.s3 import S3Access, s3_client
from components.errors import DeviceError, Problem

_TIMEOUT_S = 5


class StoreAwayError(DeviceError):
    """The store does not take or give batches now; they are kept on this machine."""


def _nothing() -> None:
    pass


@dataclass
class LedgerStore:
    """The objects of one ledger."""

    access: S3Access
    bucket: str
    prepare: Callable[[], object] = _nothing
    """Makes the bucket fit, before the first object is written."""
    client: Any = field(default=None, repr=False)
    """A boto3 client; made from the access when it is first needed."""
    _is_ready: bool = False

    def batches(self) -> list[str]:
        """Names of the batches that are there, in order; none where the bucket is not made yet."""
        try:
            pages = self._s3().get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
            return sorted(str(item["Key"]) for page in pages for item in page.get("Contents", ()))
        except ClientError as error:
            if _status(error) == 404:
                return []
            raise self._away(error) from error
        except BotoCoreError as error:
            raise self._away(error) from error

    def read(self, name: str) -> bytes:
        """Content of a batch."""
        try:
            return self._read(name)
        except (ClientError, BotoCoreError) as error:
            raise self._away(error) from error

    def touched(self) -> list[str]:
        """Names of objects that have more than the one version they were made with, or were deleted."""
        seen: Counter[str] = Counter()
        try:
            for page in self._s3().get_paginator("list_object_versions").paginate(Bucket=self.bucket):
                for item in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                    seen[str(item["Key"])] += 1
        except ClientError as error:
            if _status(error) != 404:
                raise self._away(error) from error
        except BotoCoreError as error:
            raise self._away(error) from error
        return sorted(name for name, count in seen.items() if count > 1)

    def write(self, name: str, content: bytes) -> bool:
        """Make the object; False where it is there already. Raises LedgerError for another one of its name."""
        if not self._is_ready:
            self.prepare()
            self._is_ready = True
        found = self._find(name)
        if found is None:
            try:
                self._s3().put_object(
                    Bucket=self.bucket, Key=name, Body=content, IfNoneMatch="*", ContentType="text/plain; charset=utf-8"
                )
            except (ClientError, BotoCoreError) as error:
                # Somebody was faster, or the answer was lost: stores also hang up on a body that they refuse.
                if (found := self._find(name)) is None:
                    raise self._away(error) from error
            else:
                return True
        if found != content:
            raise LedgerError(
                "two ledgers of one region",
                [
                    Problem(
                        path=f"{self.access.endpoint}/{self.bucket}/{name}",
                        message="the store holds another batch of this number than this machine",
                        remedy=f"see {RUNBOOK}, 'Two ledgers': the store's stands, this machine's is recorded anew",
                    )
                ],
            )
        return False

    def _find(self, name: str) -> bytes | None:
        try:
            return self._read(name)
        except ClientError as error:
            if _status(error) == 404:
                return None
            raise self._away(error) from error
        except BotoCoreError as error:
            raise self._away(error) from error

    def _read(self, name: str) -> bytes:
        return bytes(self._s3().get_object(Bucket=self.bucket, Key=name)["Body"].read())

    def _s3(self) -> Any:
        if self.client is None:
            self.client = s3_client(self.access, timeout_s=_TIMEOUT_S)
        return self.client

    def _away(self, error: Exception) -> StoreAwayError:
        problem = Problem(
            path=f"{self.access.endpoint}/{self.bucket}",
            message="the object store does not do what was asked",
            found=str(error),
            remedy="nothing is lost: `region ledger upload <region>` once the store is back",
        )
        return StoreAwayError("the acceptance ledger's store is away", [problem])


def _status(error: ClientError) -> int:
    return int(cast("Any", error.response)["ResponseMetadata"]["HTTPStatusCode"])
