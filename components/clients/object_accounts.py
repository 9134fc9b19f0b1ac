"""Accounts of the region's object store, and which of them a bucket belongs to.

Owns the requests for it: S3 itself has no word for accounts, so they are versitygw's (its admin API, signed as S3
requests are). Deliberately does not list accounts, as the answer would hold everybody's secret key.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, cast
from xml.etree import ElementTree

from botocore.exceptions import BotoCoreError, ClientError

from components.clients.redaction import register
from components.clients.s3 import S3Access, ask, s3_client
from components.errors import DeviceError, Problem

ROLE = "user"
"""Uses the buckets that are its own, and makes none."""
SECRET_BYTES = 30
BAD, GONE, CONFLICT = 300, 404, 409
NO_ACCOUNTS = frozenset({"XAdminMethodNotSupported", "MethodNotAllowed", "NotImplemented", "405", "501"})
"""Answers of a versitygw that was started without accounts, and of other stores."""


class AccountError(DeviceError):
    """The object store does not do what was asked about an account or its bucket."""


class RefusalError(Exception):
    """An answer that is an error, in the store's words."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(f"{code}: {message}")


@dataclass(frozen=True, kw_only=True)
class ObjectAccounts:
    """The accounts of one store, managed with the operator's key."""

    access: S3Access
    """The operator's, whose account may do everything."""

    def renew(self, name: str) -> str:
        """Make the account, or give it another secret key in place of its own; the key. Raises AccountError."""
        secret = register(secrets.token_urlsafe(SECRET_BYTES))
        self.keep(name, secret)
        return secret

    def keep(self, name: str, secret: str) -> None:
        """Make the account with this secret key, or give it this one in place of its own. Raises AccountError."""
        try:
            self._ask("create-user", body=_xml("Account", Access=name, Secret=secret, Role=ROLE))
        except RefusalError as refusal:
            if refusal.code != "XAdminUserExists":
                raise self.failure(name, refusal) from refusal
            body = _xml("MutableProps", Secret=secret, Role=ROLE)
            self._do(name, "update-user", query={"access": name}, body=body)

    def remove(self, name: str) -> None:
        """Take the account away with its key, if it is there. Raises AccountError."""
        self._do(name, "delete-user", query={"access": name})

    def own(self, bucket: str, account: str) -> None:
        """See to it that the bucket is there and the account's. One of somebody else is refused. Raises AccountError."""
        owner = self._owners(bucket).get(bucket)
        if owner is None:
            self._do(bucket, f"{bucket}/create", headers={"x-vgw-owner": account})
        elif owner != account:
            problem = Problem(
                path=f"{self.access.endpoint}/{bucket}",
                message="the bucket is another account's: its tenant was removed while it held something, or somebody "
                "else made it",
                found=f"owner {owner}",
                allowed=f"owner {account}, or no such bucket",
                remedy=f"empty and remove it; or, if what it holds is this tenant's: `versitygw admin "
                f"change-bucket-owner --bucket {bucket} --owner {account}` with the operator's key; then run this again",
            )
            raise AccountError(f"bucket {bucket} cannot be given to {account}", [problem])

    def release(self, bucket: str) -> bool:
        """Remove the bucket, or make it the operator's if it holds anything; whether it stays. Raises AccountError."""
        try:
            s3_client(self.access).delete_bucket(Bucket=bucket)
        except ClientError as error:
            status = int(cast("Any", error.response)["ResponseMetadata"]["HTTPStatusCode"])
            if status == CONFLICT:
                self._do(bucket, "change-bucket-owner", query={"bucket": bucket, "owner": self.access.access_key})
                return True
            if status != GONE:
                raise self.failure(bucket, error) from error
        except BotoCoreError as error:
            raise self.failure(bucket, error) from error
        return False

    def _owners(self, what: str) -> dict[str, str]:
        """Bucket -> the account that it is of; all that the store has."""
        root = ElementTree.fromstring(self._do(what, "list-buckets"))  # noqa: S314 - our own store, over TLS
        found = ((each.findtext("Name"), each.findtext("Owner")) for each in root.iter("Buckets"))
        return {name: owner or "" for name, owner in found if name}

    def _do(self, what: str, path: str, **request: Any) -> bytes:
        try:
            return self._ask(path, **request)
        except RefusalError as refusal:
            raise self.failure(what, refusal) from refusal

    def _ask(self, path: str, **request: Any) -> bytes:
        """What the store answers. Raises RefusalError, or AccountError if there is no answer."""
        try:
            answer = ask(self.access, "PATCH", path, **request)
        except BotoCoreError as error:
            raise self.failure(path, error) from error
        if answer.status >= BAD:
            raise _refusal(answer.status, answer.content)
        return answer.content

    def failure(self, what: str, error: Exception) -> AccountError:
        """What to tell of a request about an account or a bucket that came to nothing."""
        has_accounts = not isinstance(error, RefusalError) or error.code not in NO_ACCOUNTS
        problem = Problem(
            path=f"{self.access.endpoint}: {what}",
            message="the object store does not do what was asked" if has_accounts else "the store keeps no accounts",
            found=str(error),
            allowed=None if has_accounts else "versitygw with accounts",
            remedy="is the store up, and the key the operator's?"
            if has_accounts
            else "start versitygw with an account service, such as --iam-dir; see docs/guides/tenants.md",
        )
        return AccountError(f"the account or bucket {what} cannot be managed", [problem])


def _xml(kind: str, **fields: str) -> bytes:
    root = ElementTree.Element(kind)
    for name, value in fields.items():
        ElementTree.SubElement(root, name).text = value
    return ElementTree.tostring(root)


def _refusal(status: int, content: bytes) -> RefusalError:
    try:
        root = ElementTree.fromstring(content)  # noqa: S314 - our own store, over TLS
    except ElementTree.ParseError:
        return RefusalError(str(status), "no words")
    return RefusalError(root.findtext("Code") or str(status), root.findtext("Message") or "no words")
