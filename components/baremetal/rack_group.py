"""The racks of a region.

Owns which racks there are, and that a protected one cannot be destroyed by mistake. A rack's own life
is the Rack resource's; racks do not wait for each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from components.baremetal.rack import Rack, RackArgs
from components.plan.packed import content, packed


@dataclass(frozen=True, kw_only=True)
class RackGroupArgs:
    """What a RackGroup is made of."""

    racks: Mapping[str, Mapping[str, Any]]
    """Rack name -> its inputs, as `components.plan.resources.rack_inputs` plans them."""


class RackGroup(pulumi.ComponentResource):
    """All racks of a region, one resource each."""

    trays: pulumi.Output[str]
    """Packed: rack -> tray -> what it became: `node`, `state`, `address`, `image_sha256`, `deployed`, `left`."""

    def __init__(self, name: str, args: RackGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpuregion:baremetal:RackGroup", name, None, opts)
        racks = {rack: self._create_rack(rack, inputs) for rack, inputs in args.racks.items()}
        self.trays = pulumi.Output.all(**{name: rack.trays for name, rack in racks.items()}).apply(_together)
        self.register_outputs({"trays": self.trays})

    def _create_rack(self, name: str, inputs: Mapping[str, Any]) -> Rack:
        # A rack in service holds tenants' work. Pulumi refuses to destroy it, and the provider, which
        # has `protect` among its inputs, refuses too when somebody goes around the engine.
        opts = pulumi.ResourceOptions(parent=self, protect=bool(inputs.get("protect")))
        return Rack(name, RackArgs(inputs=inputs), opts)


def _together(racks: Mapping[str, Any]) -> str:
    """The trays of all racks as one text: it is recorded here and handed over by the stack."""
    return packed({"trays": {name: content(trays) for name, trays in racks.items()}})["trays"]
