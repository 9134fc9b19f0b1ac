"""A rack as a resource.

Owns the one resource by which a rack takes part in a stack. What it asks for is planned by
`components.plan.resources.rack_inputs`; how trays come to it is the provider's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from components.plan.packed import packed


@dataclass(frozen=True, kw_only=True)
class RackArgs:
    """The trays of one rack."""

    inputs: Mapping[str, Any]
    """As `rack_inputs` plans them: trays, image, access by reference, time limits."""


class Rack(pulumi.CustomResource):
    """A rack whose trays are deployed hosts or spares that are off."""

    # No type: the SDK would refuse what an earlier version left in the state unpacked.
    trays: pulumi.Output[Any]
    """Packed: tray -> `node` (Ironic's id), `state`, `address`, `image_sha256`, `deployed`, `left`."""

    def __init__(self, name: str, args: RackArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpuregion:baremetal:Rack", name, packed(args.inputs), opts)
