"""The kinds of resources that queues count.

Owns a ResourceFlavor for each pool of GPUs, and one for cores and memory. Does not own the queues (tenant_queue.py),
nor Kueue: the runtime's playbook installs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from components.kubernetes.labels import standard_labels
from components.plan.tenancy.queues import API


@dataclass(frozen=True, kw_only=True)
class GpuFlavorsArgs:
    """What GpuFlavors are made of."""

    flavors: Mapping[str, Mapping[str, str]]
    """Flavor -> labels of its hosts; none where they are all."""
    cluster: str
    """Cluster that the flavors are part of, for their labels."""


class GpuFlavors(pulumi.ComponentResource):
    """One flavor a pool of GPUs, and one of all hosts."""

    flavors: pulumi.Output[list[str]]
    """Names of the flavors."""

    def __init__(self, name: str, args: GpuFlavorsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpuregion:kubernetes:GpuFlavors", name, None, opts)
        for flavor, labels in args.flavors.items():
            # An empty spec would differ at each preview.
            spec: dict[str, Any] = {"spec": {"nodeLabels": dict(labels)}} if labels else {}
            CustomResource(
                f"{name}-{flavor}",
                api_version=API,
                kind="ResourceFlavor",
                metadata={
                    "name": flavor,
                    "labels": standard_labels(flavor, component="flavor", part_of=args.cluster),
                },
                **spec,
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.flavors = pulumi.Output.from_input(list(args.flavors))
        self.register_outputs({"flavors": self.flavors})
