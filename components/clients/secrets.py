"""Secret references.

Owns the way from a reference (`file:PATH` relative to the project, or `env:NAME`) to its value. A
private file that others may read is refused. Each value is known to the redaction from then on.
"""

from __future__ import annotations

import json
import os
import ssl
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from components.clients.redaction import register
from components.errors import Problem, RegionError


class SecretError(RegionError):
    """A secret is missing, unreadable or not private."""


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """A user and its password; the password does not show in `repr`."""

    username: str
    password: str = field(repr=False)


def reference_path(project: Path, reference: str) -> Path:
    """The file that a `file:` reference names."""
    kind, _, name = reference.partition(":")
    if kind != "file" or not name:
        raise _refusal(reference, "must name a file", found=reference, allowed="file:PATH")
    return project / name


def resolve(project: Path, reference: str, *, private: bool = True) -> str:
    """The value behind `reference`. `private=False` is for certificates and public keys."""
    kind, _, name = reference.partition(":")
    if kind == "env" and name:
        value = os.environ.get(name)
        if value is None:
            raise _refusal(reference, "the environment variable is not set", remedy=f"export {name}")
    elif kind == "file" and name:
        value = _read(project / name, reference, private=private)
    else:
        raise _refusal(reference, "is not a secret reference", allowed="file:PATH or env:NAME")
    return register(value) if private else value


def credentials(project: Path, reference: str) -> Credentials:
    """User and password from a JSON object `{"username", "password"}`."""
    try:
        data: Any = json.loads(resolve(project, reference))
        fields = cast("dict[str, str]", data)
        return Credentials(username=fields["username"], password=register(fields["password"]))
    except (ValueError, KeyError, TypeError):
        # The content is not shown: it may be the secret in another shape.
        raise _refusal(reference, "does not hold credentials", allowed='{"username": ..., "password": ...}') from None


def ca_context(project: Path, reference: str) -> ssl.SSLContext:
    """TLS that trusts the certificate behind `reference` and nothing else."""
    certificate = resolve(project, reference, private=False)
    try:
        return ssl.create_default_context(cadata=certificate)
    except ssl.SSLError:
        raise _refusal(reference, "does not hold a certificate", allowed="PEM of the region's CA") from None


def public_mode(path: Path) -> str | None:
    """Mode of a file or folder that others than its owner may get at, as `0o644`; None of a private one.

    Raises OSError.
    """
    mode = stat.S_IMODE(path.stat().st_mode)
    return oct(mode) if mode & 0o077 else None


def _read(path: Path, reference: str, *, private: bool) -> str:
    try:
        if private and (mode := public_mode(path)):
            raise _refusal(
                reference, "others may read this file", found=mode, allowed="0o600", remedy=f"chmod 600 {path}"
            )
        return path.read_text()
    except OSError as error:
        raise _refusal(
            reference,
            f"cannot be read: {error.strerror}",
            found=str(path),
            remedy="in the lab `lab up` makes it; in a region it comes from your secret store",
        ) from None


def _refusal(
    reference: str, message: str, *, found: str | None = None, allowed: str | None = None, remedy: str | None = None
) -> SecretError:
    problem = Problem(path=reference, message=message, found=found, allowed=allowed, remedy=remedy, rule="secret")
    return SecretError("a secret cannot be used", [problem])
