"""The way to an S3 object store of the operator's own.

Owns the client's settings: the region's authority is the only one trusted, addresses are path-style
because a store on an address has no names for its buckets, and nothing is read from the user's own
AWS configuration.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import boto3.session
from botocore import UNSIGNED
from botocore.config import Config

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
