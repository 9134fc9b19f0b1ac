"""The class of devices that services claim.

Owns a DeviceClass with a name that says nothing of the vendor. Does not own the driver: the
drivers playbook installs it. So a service moves from simulated to real GPUs without a change.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from components.kubernetes.labels import standard_labels


@dataclass(frozen=True, kw_only=True)
class GpuDeviceClassArgs:
    """What a GpuDeviceClass is made of."""

    device_class: str
    """Neutral name of the class, the only one that services know."""
    driver: str
    """Driver whose devices belong to the class, as it stands in ResourceSlices."""
    cluster: str
    """Cluster that the class is part of, for its labels."""


class GpuDeviceClass(pulumi.ComponentResource):
    """A DeviceClass that selects all GPUs of one driver."""

    device_class: pulumi.Output[str]
    """Name of the class."""

    def __init__(self, name: str, args: GpuDeviceClassArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gpuregion:kubernetes:GpuDeviceClass", name, None, opts)
        device_class = kubernetes.resource.v1.DeviceClass(
            f"{name}-class",
            metadata={
                "name": args.device_class,
                "labels": standard_labels(args.device_class, component="device-class", part_of=args.cluster),
            },
            spec={"selectors": [{"cel": {"expression": f"device.driver == '{args.driver}'"}}]},
            opts=pulumi.ResourceOptions(parent=self),
        )
        # Known before the object exists: its name comes from the plan, not from the API.
        self.device_class = device_class.id.apply(lambda _: args.device_class)
        self.register_outputs({"device_class": self.device_class})
