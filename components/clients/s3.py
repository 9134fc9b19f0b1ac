"""The way to an S3 object store of the operator's own.

Owns the client's settings: the region's authority is the only one trusted, addresses are path-style
because a store on an address has no names for its buckets, and nothing is read from the user's own
AWS configuration.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import boto3.session
from botocore import UNSIGNED
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

from components.clients.redaction import register
from components.clients.secrets import reference_path, resolve
from components.errors import Problem, RegionError

REGION = "us-east-1"
"""What S3 stores without regions call theirs; it is part of each signature."""


@dataclass(frozen=True, kw_only=True)
class S3Access:
    """An endpoint and the key that opens it."""

    endpoint: str
    """`https://address:port`."""
    access_key: str
    secret_key: str = field(repr=False)
    ca: Path
    """Certificate of the authority that issued the endpoint's."""

    @classmethod
    def from_references(cls, project: Path, *, endpoint: str, credentials: str, ca: str) -> S3Access:
        """Access from secret references. Raises SecretError, RegionError."""
        try:
            document = cast("dict[str, Any]", json.loads(resolve(project, credentials)))
            access_key, secret_key = str(document["access_key"]), register(str(document["secret_key"]))
        except (ValueError, KeyError, TypeError):
            # The content is not shown: it may be the secret in another shape.
            problem = Problem(
                path=credentials, message="does not hold a key", allowed='{"access_key": ..., "secret_key": ...}'
            )
            raise RegionError("a secret cannot be used", [problem]) from None
        return cls(endpoint=endpoint, access_key=access_key, secret_key=secret_key, ca=reference_path(project, ca))


def s3_client(access: S3Access, *, timeout_s: float = 10) -> Any:
    """A boto3 client with this key. Untyped, as boto3 is."""
    keys = {"aws_access_key_id": access.access_key, "aws_secret_access_key": access.secret_key}
    # Said, as addresses that are signed beforehand would be signed the older way, which stores of today refuse.
    return _client(access, keys, Config(signature_version="s3v4", **_settings(timeout_s)))


def anonymous_client(access: S3Access, *, timeout_s: float = 10) -> Any:
    """A boto3 client that shows no key: what everybody on the network can do."""
    return _client(access, {}, Config(signature_version=UNSIGNED, **_settings(timeout_s)))


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the store said to a request."""

    status: int
    content: bytes


def ask(
    access: S3Access,
    method: str,
    path: str,
    *,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    timeout_s: float = 10,
) -> Answer:
    """One request, signed with this key: for what boto3 has no word for, and where a client of its own for each key
    would take longer than the question. Raises BotoCoreError if there is no answer."""
    request = AWSRequest(
        method=method,
        url=f"{access.endpoint}/{path}",
        params=dict(query or {}),
        headers=dict(headers or {}),
        data=body,
    )
    S3SigV4Auth(Credentials(access.access_key, access.secret_key), "s3", REGION).add_auth(request)
    session = cast("Any", URLLib3Session)(verify=str(access.ca), timeout=timeout_s)
    try:
        answer = session.send(request.prepare())
        return Answer(status=int(answer.status_code), content=answer.content)
    finally:
        session.close()


def opens(access: S3Access, bucket: str) -> bool | None:
    """Whether this key opens the bucket; None if there is no such bucket.

    Raises BotoCoreError, or ValueError with the status if the store says neither.
    """
    status = ask(access, "HEAD", bucket).status
    known = {200: True, 401: False, 403: False, 404: None}
    if status not in known:
        raise ValueError(f"HTTP {status}")
    return known[status]


def _settings(timeout_s: float) -> dict[str, Any]:
    return {
        "s3": {"addressing_style": "path"},
        "connect_timeout": timeout_s,
        "read_timeout": timeout_s,
        "retries": {"mode": "standard", "total_max_attempts": 3},
    }


def _client(access: S3Access, keys: dict[str, str], config: Config) -> Any:
    session = cast("Any", boto3.session.Session())
    return session.client(
        "s3", endpoint_url=access.endpoint, region_name=REGION, verify=str(access.ca), config=config, **keys
    )
