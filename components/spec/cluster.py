"""The Kubernetes cluster and the GPU driver on its hosts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from components.spec.base import Model
from components.spec.limits import MAX_CLUSTER_NODES
from components.spec.types import Domain, Id, Name, Version


class Cluster(Model):
    """One cluster, made by kubeadm."""

    name: Name
    kubernetes: Version
    containerd: Version
    domain: Domain = "cluster.local"
    """DNS zone inside the cluster."""
    join_pace: Annotated[int, Field(ge=1, le=50)]
    """Nodes that may join at one time at most; fewer do while the API server shows strain."""
    api_vip_id: Id | None = None
    """VIP of the API; needed with more than one control plane, whose address must outlive any of them."""
    max_nodes: Annotated[int, Field(ge=1, le=MAX_CLUSTER_NODES)] = MAX_CLUSTER_NODES
    """Nodes of one cluster; where a region has more, it is cut between scalable units."""


class Drivers(Model):
    """The GPU driver of all GPU workers, and what must have its version."""

    nvidia: Version
    imex: Literal["dra", "host"] = "dra"
    """Who starts the daemons that share memory over NVLink: the DRA driver for each workload, or the host.
    Never both."""
    doca: Version | None = None
    """DOCA-Host: the drivers of BlueField and ConnectX."""
