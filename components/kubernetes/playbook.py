"""A playbook run as a resource.

Owns the one resource by which Ansible takes part in a stack. What it is made of is planned by
`components.plan.resources.playbook_inputs`; when it runs is decided by the provider's diff.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components.plan.packed import packed


@dataclass(frozen=True, kw_only=True)
class PlaybookRunArgs:
    """One playbook, by content, on one inventory."""

    inputs: Mapping[str, Any]
    """As `playbook_inputs` plans them: playbook, content, inventory, variables, references, time limit."""
    after: Mapping[str, pulumi.Input[Any]] = field(default_factory=dict[str, pulumi.Input[Any]])
    """What must have been done before, by name. If it was done anew, such as a host deployed again, so is the run."""


class PlaybookRun(pulumi.CustomResource):
    """A playbook that has run with this content on this inventory."""

    hosts: pulumi.Output[dict[str, str]]
    """Host -> `ok`, for every host of the inventory."""

    def __init__(self, name: str, args: PlaybookRunArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        inputs = {**packed(args.inputs), "after": dict(args.after), "hosts": None}
        super().__init__("gpuregion:ansible:PlaybookRun", name, inputs, opts)
