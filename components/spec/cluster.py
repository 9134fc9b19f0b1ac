"""The Kubernetes cluster, its tenants and the GPU driver on its hosts."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from components.spec.base import Model
from components.spec.types import Domain, Id, Name, Version


class Quota(Model):
    """What a namespace may use at most."""

    pods: Annotated[int, Field(ge=0)]
    gpus: Annotated[int, Field(ge=0)]
    """Devices claimed at one time."""


class Namespace(Model):
    """A tenant's part of the cluster."""

    name: Name
    quota: Quota


class Cluster(Model):
    """One cluster, made by kubeadm."""

    name: Name
    kubernetes: Version
    containerd: Version
    domain: Domain = "cluster.local"
    """DNS zone inside the cluster."""
    join_pace: Annotated[int, Field(ge=1, le=50)]
    """Nodes that may join at one time. The control plane fails under hundreds at once."""
    api_vip_id: Id | None = None
    """VIP of the API; needed with more than one control plane, whose address must outlive any of them."""
    namespaces: tuple[Namespace, ...] = ()


class Drivers(Model):
    """The GPU driver of all GPU workers."""

    nvidia: Version
    gpus_per_host: Annotated[int, Field(ge=1, le=16)]
    """GPUs that each worker must show, or it is not accepted."""
