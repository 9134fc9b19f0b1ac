"""Who may do what with a bucket of the operator's, beside the operator.

Owns the one policy that this project writes: one account reads, nobody writes. Deliberately owns no account
(object_accounts.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from botocore.exceptions import BotoCoreError, ClientError

from components.clients.object_accounts import ObjectAccounts
from components.clients.s3 import S3Access, s3_client


def reading(bucket: str, account: str) -> dict[str, Any]:
    """The policy: the account lists the bucket and reads its objects. HeadBucket and HeadObject are the same rights."""

    def allow(action: str, resource: str) -> dict[str, Any]:
        return {
            "Effect": "Allow",
            "Principal": {"AWS": [account]},
            "Action": [action],
            "Resource": [f"arn:aws:s3:::{resource}"],
        }

    statements = [allow("s3:ListBucket", bucket), allow("s3:GetObject", f"{bucket}/*")]
    return {"Version": "2012-10-17", "Statement": statements}


@dataclass(frozen=True, kw_only=True)
class BucketPolicy:
    """Of one bucket."""

    bucket: str
    access: S3Access
    """The operator's."""

    def let_read(self, account: str) -> None:
        """See to it that the bucket is there, and that this account reads it and nobody else opens it.

        Raises AccountError.
        """
        client = s3_client(self.access)
        if self._call(lambda: client.head_bucket(Bucket=self.bucket), "404", "NoSuchBucket") is None:
            # The other answer: somebody who publishes made it meanwhile.
            self._call(lambda: client.create_bucket(Bucket=self.bucket), "BucketAlreadyOwnedByYou")
        if not self.lets_read(account):
            policy = json.dumps(reading(self.bucket, account))
            self._call(lambda: client.put_bucket_policy(Bucket=self.bucket, Policy=policy))

    def lets_read(self, account: str) -> bool:
        """Whether the policy is this account's, to the letter. Raises AccountError."""
        client = s3_client(self.access)
        found = self._call(lambda: client.get_bucket_policy(Bucket=self.bucket), "NoSuchBucketPolicy")
        return bool(found) and json.loads(found["Policy"]) == reading(self.bucket, account)

    def close(self) -> None:
        """Take the policy away; without one the bucket is the operator's alone. Raises AccountError."""
        client = s3_client(self.access)
        self._call(lambda: client.delete_bucket_policy(Bucket=self.bucket), "NoSuchBucketPolicy", "NoSuchBucket")

    def _call(self, request: Callable[[], Any], *passed: str) -> Any:
        """An answer; None where the store's word is one of those that are passed."""
        try:
            return request()
        except ClientError as error:
            if cast("Any", error.response)["Error"].get("Code") in passed:
                return None
            raise self._failure(error) from error
        except BotoCoreError as error:
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> Exception:
        return ObjectAccounts(access=self.access).failure(self.bucket, error)
