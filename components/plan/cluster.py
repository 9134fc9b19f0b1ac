"""The Kubernetes cluster."""

from __future__ import annotations

from collections.abc import Sequence

from components.plan.addressing import address
from components.plan.model import ClusterPlan, ContainerImage, ManifestPlan, RackPlan, TrayRole
from components.plan.naming import DEVICE_CLASS
from components.plan.tenants import compile_tenants
from components.spec.artifacts import ArtifactIndex
from components.spec.region import Region

_DNS_HOST = 10
"""kubeadm gives cluster DNS the tenth address of the service network, and the API the first."""


def compile_cluster(region: Region, artifacts: ArtifactIndex, racks: Sequence[RackPlan]) -> ClusterPlan:
    """The cluster over all hosts of the region."""
    cluster, pools = region.cluster, region.pools
    first = next(h for rack in racks for h in rack.hosts if h.role is TrayRole.CONTROL_PLANE)
    profiles = {profile.profile: profile for profile in region.catalogue.racks}
    # The rules hold the facts used here to be the same in all racks of a cluster.
    profile = profiles[racks[0].profile]
    return ClusterPlan(
        name=cluster.name,
        kubernetes_version=cluster.kubernetes,
        containerd_version=cluster.containerd,
        api_address=first.service_vips[0] if first.service_vips else first.loopback,
        api_external=first.oob_address,
        pod_network=str(pools.pods),
        service_network=str(pools.services),
        dns_address=address(pools.services, _DNS_HOST),
        domain=cluster.domain,
        join_pace=cluster.join_pace,
        tenants=compile_tenants(region),
        images=tuple(
            ContainerImage(name=name, reference=image.reference, tag=image.tag)
            for name, image in sorted(artifacts.container_images.items())
        ),
        manifests=tuple(
            ManifestPlan(name=name, url=manifest.url, sha256=manifest.sha256)
            for name, manifest in sorted(artifacts.manifests.items())
        ),
        device_class=DEVICE_CLASS,
        cgroup_version=profile.tray.cgroup_version,
        limited_oom_score=profile.tray.limited_oom_score,
        nvidia_driver=region.drivers.nvidia,
        simulated=profile.simulated,
    )
