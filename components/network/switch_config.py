"""A group of switches as a resource.

Owns the one resource by which switches take part in a stack. What their configurations say is planned by
`components.plan.resources.switch_group_inputs`; how they come to the switches is the provider's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from components.plan.packed import packed


@dataclass(frozen=True, kw_only=True)
class SwitchConfigArgs:
    """Switches that change as one."""

    inputs: Mapping[str, Any]
    """As `switch_group_inputs` plans them: addresses, configurations, expected sessions, references, time limits."""


class SwitchConfig(pulumi.CustomResource):
    """Switches that run, and boot with, these configurations."""

    # No type: the SDK would refuse what an earlier version left in the state unpacked.
    switches: pulumi.Output[Any]
    """Packed: switch -> `config_sha256` of what was confirmed on it."""

    def __init__(self, name: str, args: SwitchConfigArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpuregion:network:SwitchConfig", name, packed(args.inputs), opts)
