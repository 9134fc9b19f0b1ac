"""The routed network of a region: its switches, configured as one.

Owns the resource that holds the switches. Does not own hosts' side of the sessions: that is the playbook role `frr`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from components.network.switch_config import SwitchConfig, SwitchConfigArgs


@dataclass(frozen=True, kw_only=True)
class FabricArgs:
    """What a Fabric is made of."""

    inputs: Mapping[str, Any]
    """As `components.plan.resources.switch_group_inputs` plans them."""


class Fabric(pulumi.ComponentResource):
    """All switches of a region, changed as one transaction."""

    switches: pulumi.Output[Any]
    """Packed: switch -> `config_sha256` of the configuration it was last seen with."""

    def __init__(self, name: str, args: FabricArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpuregion:network:Fabric", name, None, opts)
        group = SwitchConfig(
            f"{name}-switches", SwitchConfigArgs(inputs=args.inputs), pulumi.ResourceOptions(parent=self)
        )
        self.switches = group.switches
        self.register_outputs({"switches": self.switches})
