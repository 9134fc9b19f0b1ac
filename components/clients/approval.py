"""Reads the list of approved actions that a run is held to.

The provider is started by Pulumi's engine, so the list reaches it as a file that its environment names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.engine.approval import Approval
from components.errors import Problem, RegionError

VARIABLE = "GPUREGION_APPROVED"
"""Environment variable: path of the plan that `region preview --save` wrote."""


def approval_of(environment: Mapping[str, str]) -> Approval | None:
    """The list, or None where a run is not held to one. Raises RegionError if it is named and cannot be read."""
    name = environment.get(VARIABLE)
    return read_approval(Path(name)) if name else None


def read_approval(path: Path) -> Approval:
    """From the `actions` of a plan."""
    try:
        plan: Any = json.loads(path.read_text(encoding="utf-8"))
        listed = [(str(a["layer"]), str(a["target"]), str(a["kind"])) for a in plan["actions"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RegionError(
            "the approved plan cannot be read",
            [
                Problem(
                    path=str(path),
                    message=str(error) or type(error).__name__,
                    allowed="a file that `region preview --save` wrote",
                    remedy="preview again with --save",
                    rule="plan-form",
                )
            ],
        ) from None
    return Approval.of(listed, path.name)
