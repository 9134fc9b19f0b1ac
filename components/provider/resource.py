"""The provider as a program sees it.

Owns the resource that configures the `gpuregion` plugin. A stack makes one and hands it to its
components through `ResourceOptions(providers=...)`.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi


@dataclass(frozen=True, kw_only=True)
class ProviderArgs:
    """What the plugin is told once."""

    region: str
    """Name of the region; its journal, host keys and logs lie under it."""
    project: str
    """Root of the project, to which `file:` references are relative."""


class Provider(pulumi.ProviderResource):
    """The `gpuregion` provider for one region."""

    def __init__(self, name: str, args: ProviderArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpuregion", name, {"region": args.region, "project": args.project}, opts)
