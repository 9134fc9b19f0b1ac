"""The Pulumi program: declares the one layer of the one region that the selected stack names."""

from __future__ import annotations

import asyncio
import importlib

import pulumi

from components.provider.resource import Provider, ProviderArgs
from components.state.applied_description import AppliedDescription, AppliedDescriptionArgs
from stacks.description import describe, refuse_unready
from stacks.project import ROOT, StackName


def _say_nothing(*_: object, **__: object) -> None:
    """Takes the place of the SDK's debug messages.

    It sends four for each resource and waits for every one of them: about a tenth of the preview of 250 racks. The engine's own
    log (`-v=7 --logtostderr`) says the same.
    """


async def main() -> None:
    """Declare the layer."""
    pulumi.log.debug = _say_nothing
    stack = StackName.parse(pulumi.get_stack())
    layer = importlib.import_module(f"stacks.layers.{stack.layer}")
    # First of all, and compile beside it: the engine starts the provider's process meanwhile.
    provider = Provider("gpuregion", ProviderArgs(region=stack.region, project=str(ROOT)))
    described = await asyncio.to_thread(describe, stack.region)
    if pulumi.runtime.is_dry_run():
        for note in described.unready:
            pulumi.warn(note)
    else:
        refuse_unready(described)
    done = layer.declare(described.plan, ROOT, provider)
    AppliedDescription(
        stack.layer,
        AppliedDescriptionArgs(description=described.compact),
        pulumi.ResourceOptions(depends_on=done),
    )


pulumi.run(main)
