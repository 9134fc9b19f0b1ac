"""Values behind references, as Pulumi keeps them.

Owns what a preview does without them: on a machine that holds none, such as one that only checks a pull
request, a value is unknown. A run that would write it is refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pulumi
from pulumi.output import UNKNOWN

from components.clients.secrets import SecretError, resolve


def secret_value(project: Path, reference: str) -> pulumi.Output[str]:
    """The value, marked secret; unknown in a preview that cannot read it. Raises SecretError."""
    return pulumi.Output.secret(_value(project, reference, private=True))


def public_value(project: Path, reference: str) -> pulumi.Output[str]:
    """A certificate, or what else everybody may read; as `secret_value` is. Raises SecretError."""
    return pulumi.Output.from_input(_value(project, reference, private=False))


def _value(project: Path, reference: str, *, private: bool) -> str:
    try:
        return resolve(project, reference, private=private).strip()
    except SecretError:
        if not pulumi.runtime.is_dry_run():
            raise
        return cast("Any", UNKNOWN)
