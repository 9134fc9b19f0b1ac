"""A placement in the words of Kubernetes: requests for devices (DRA), and what flavors (Kueue) know pools by.

Owns the attributes that drivers publish. Those of the NVIDIA driver were read in its source
(kubernetes-sigs/dra-driver-nvidia-gpu, cmd/gpu-kubelet-plugin/deviceinfo.go, commit 0545e9e): `type`,
`productName`, `architecture`, and the capacity `memory`; the words of `architecture` in go-nvlib. The driver of
simulated GPUs (lab/images/gpu_driver) publishes the same names, so one selector is made for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from components.plan.fleet.place import Placement
from components.plan.fleet.pool import Pool

POOL_LABEL = "gpuregion.dev/gpu-pool"
"""Label of hosts; its value is the pool's name. Flavors select hosts by it."""

NVIDIA, SIMULATED = "gpu.nvidia.com", "gpu.example.com"
"""Drivers, and the domains of their attributes."""

REQUEST = "gpu"
"""Name of the request in a claim."""

MOST_ALTERNATIVES = 8
"""Of one request, by the API (FirstAvailableDeviceRequestMaxSize)."""

ARCHITECTURES: Mapping[str, str] = MappingProxyType(
    {"ada": "Ada Lovelace", "hopper": "Hopper", "blackwell": "Blackwell", "blackwell-ultra": "Blackwell"}
)
"""Generation -> what the NVIDIA driver calls it. It does not tell Blackwell from Blackwell Ultra, so the product's
name does; of Rubin no word was read, so its product's name must do alone."""


@lru_cache(maxsize=4096)
def selector(pool: Pool, memory_gib: int) -> str:
    """CEL that is true for the GPUs of a pool, and false for any other device.

    The first term keeps it from reading attributes of other drivers, which would be an error and end the whole
    allocation; the second from partitions of GPUs and from such that are passed to virtual machines.
    """
    driver = SIMULATED if pool.simulated else NVIDIA
    attributes, capacity = f"device.attributes['{driver}']", f"device.capacity['{driver}']"
    terms = [
        f"device.driver == '{driver}'",
        f"{attributes}.type == 'gpu'",
        f"{attributes}.productName == '{pool.gpu_model}'",
    ]
    if pool.architecture in ARCHITECTURES:
        terms.append(f"{attributes}.architecture == '{ARCHITECTURES[pool.architecture]}'")
    if memory_gib:
        terms.append(f"{capacity}.memory.compareTo(quantity('{memory_gib}Gi')) >= 0")
    return " && ".join(terms)


def driver_facts(pool: Pool) -> dict[str, Any]:
    """What the driver of simulated GPUs is told of a pool, so that it publishes what `selector` asks for."""
    return {
        "count": pool.gpus_per_host,
        "productName": pool.gpu_model,
        "architecture": ARCHITECTURES.get(pool.architecture, pool.architecture),
        "memory": f"{pool.memory_gib}Gi",
    }


@dataclass(frozen=True, kw_only=True)
class GpuPlan:
    """Where the replicas of a service land, small enough to stand beside each of ten thousand."""

    pools: tuple[str, ...]
    """In order of price: the first while there is room, then what spills over."""
    selectors: tuple[str, ...]
    """CEL for the devices of each of them."""
    why: str
    """For people: where it lands and why."""


def gpu_plan(placement: Placement, more: str = "") -> GpuPlan:
    """Of a placement; `more` is what else is to be said of it."""
    return GpuPlan(
        pools=tuple(pool.name for pool in placement.pools),
        selectors=tuple(selector(pool, placement.need.memory_gib) for pool in placement.pools),
        why="; ".join(text for text in (placement.why, more) if text),
    )


def claim_spec(gpu: GpuPlan, count: int, device_class: str) -> dict[str, Any]:
    """Spec of a ResourceClaim: one kind of GPU, or several of which the first that is free is taken."""
    asked = [
        {
            "device_class_name": device_class,
            "selectors": [{"cel": {"expression": expression}}],
            "allocation_mode": "ExactCount",
            "count": count,
        }
        for expression in gpu.selectors[:MOST_ALTERNATIVES]
    ]
    if len(asked) == 1:
        request: dict[str, Any] = {"name": REQUEST, "exactly": asked[0]}
    else:
        alternatives = [{"name": pool, **each} for pool, each in zip(gpu.pools, asked, strict=False)]
        request = {"name": REQUEST, "first_available": alternatives}
    return {"devices": {"requests": [request]}}


FUNGIBILITY: Mapping[str, str] = MappingProxyType({"whenCanBorrow": "TryNextFlavor", "whenCanPreempt": "TryNextFlavor"})
"""Of a ClusterQueue: what is full is left for the next flavor, before anything is borrowed or taken away."""
