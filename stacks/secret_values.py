"""Values behind references, as Pulumi keeps them.

Owns what a preview does without them: on a machine that holds no secrets, such as one that only checks a pull
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
    try:
        return pulumi.Output.secret(resolve(project, reference).strip())
    except SecretError:
        if not pulumi.runtime.is_dry_run():
            raise
        return pulumi.Output.secret(cast("Any", UNKNOWN))
