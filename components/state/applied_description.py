"""The description that a layer was last brought up with, recorded in the layer's own state.

A later preview compiles it again, to tell what a change does to cables, power, tenants and services, of which
no resource of the provider knows. It is written once everything else of the layer is done: a run that fails
leaves the description of before.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi


@dataclass(frozen=True, kw_only=True)
class AppliedDescriptionArgs:
    """What is recorded."""

    description: str
    """As `components.spec.recorded.compact` makes it."""


class AppliedDescription(pulumi.ComponentResource):
    """A note in the state; nothing stands for it in the world."""

    description: pulumi.Output[str]
    """The compact form of what was applied."""

    def __init__(self, name: str, args: AppliedDescriptionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpuregion:state:AppliedDescription", name, None, opts)
        self.description = pulumi.Output.from_input(args.description)
        # As an output and not as an input: a component whose inputs differ counts as a change in every preview.
        self.register_outputs({"description": self.description})
