"""The Ansible inventory of a region.

Groups: `hosts` holds all deployed hosts, as `control_plane` and `gpu_worker`. A spare is in none: it is
off. Each variable is `<role>_<x>` of the role that reads it. Nothing here is secret: `file_variables`
and `secret_variables` give references, resolved at the last moment by `components.clients.secrets`.

This list is the contract with the roles; a contract test holds each name to some role's argument_specs.

Variables of each host
    ansible_host, ansible_user          out-of-band address, root
    frr_asn, frr_loopback, frr_pod_cidr, frr_service_vips, frr_uplinks
    kubernetes_node_ip                  the loopback
    kubernetes_pod_cidr, pod_network_cidr
                                        the host's own pod network
    kubernetes_node_labels              the rack, and of workers the pool of their GPUs, for placement
    nvidia_driver_gpu_count             GPUs that the host must show, or it is not accepted
    dra_driver_pool                     of workers: the pool that their GPUs belong to

Variables of all hosts
    base_host_table                     text, one line for every deployed host: in-band address and names
    base_dns_servers, base_domain
    time_sync_servers, time_sync_adjust_clock
    apt_repository_url, apt_repository_suite
    containerd_version, containerd_registry, containerd_sandbox_image, containerd_limited_oom_score,
    containerd_cgroup_driver            what the kubelet uses, by the version of control groups
    frr_bfd_interval_ms, frr_bfd_multiplier
    frr_local_networks                  the service network: kube-proxy's rules answer it
    kubernetes_version, kubernetes_cluster_domain, kubernetes_cgroup_version
    kubernetes_limited_oom_score
    kubernetes_api_address              plain in-band address; port 6443
    kubernetes_api_external             plain out-of-band address, for the certificate and the operator
    kubernetes_pod_network, kubernetes_service_network, kubernetes_dns_address
    kubernetes_images                   name -> {reference, tag}: the images that kubeadm runs
    kubernetes_registry                 host:port; below its `tenants/` the kubelet shows a pod's own token
    kubernetes_join_pace
    kubernetes_admin_kubeconfig         relative to the project, where playbooks are run
    pod_network_mtu, pod_network_endpoints
    nvidia_driver_version
    dra_driver_image, dra_driver_name
    dra_driver_pools                    pool -> what its GPUs are, for the driver of simulated ones
    keda_manifest_url, keda_manifest_sha256
    keda_http_add_on_manifest_url, keda_http_add_on_manifest_sha256
    envoy_gateway_manifest_url, envoy_gateway_manifest_sha256
    envoy_gateway_envoy_image
    kueue_manifest_url, kueue_manifest_sha256
    kueue_device_classes                resource of a quota -> DeviceClasses that count for it
    network_policies_image, network_policies_service_network
    metrics_image, metrics_state_image, metrics_claims_image
    metrics_reader_networks             loopbacks of the control planes, whose API server passes questions on
    weights_cache_image, weights_cache_size_gib
    weights_cache_racks                 rack -> the worker that its cache is on while that one runs
    weights_cache_endpoint, weights_cache_bucket
    weights_cache_store                 address and port that the caches may reach

Variables whose content is read when the playbook runs (name -> reference)
    file_variables: apt_repository_key  public key, ASCII armour
    file_variables: base_ca_certificate, weights_cache_ca_certificate
                                        the region's CA, PEM
    secret_variables: kubernetes_ca_key its key, PEM
    secret_variables: weights_cache_credentials
                                        what opens the bucket, JSON
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from components.plan.fleet import POOL_LABEL, driver_facts
from components.plan.frr import host_variables as frr_variables
from components.plan.model import ClusterPlan, HostPlan, RegionPlan, TrayRole
from components.plan.models.weights import IMAGE as WEIGHTS_IMAGE
from components.plan.naming import RACK_LABEL, WEIGHTS_BUCKET, kubeconfig_path
from components.plan.rules import DRA_DRIVER, KUBEADM_IMAGES
from components.plan.serving import QUOTA_DEVICES, device_driver
from components.plan.tenancy.network import endpoints as endpoints_of_tenants

GROUPS = (TrayRole.CONTROL_PLANE, TrayRole.GPU_WORKER)

ROLES_OF_VARIABLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ansible": (),
        "base": ("base",),
        "time_sync": ("time_sync",),
        "apt_repository": ("apt_repository",),
        "containerd": ("containerd",),
        "frr": ("frr",),
        "kubernetes": ("kubernetes",),
        "pod_network": ("pod_network",),
        "nvidia_driver": ("nvidia_driver",),
        "dra_driver": ("dra_driver",),
        "keda": ("keda",),
        "keda_http_add_on": ("keda_http_add_on",),
        "envoy_gateway": ("envoy_gateway",),
        "kueue": ("kueue",),
        "network_policies": ("network_policies",),
        "metrics": ("metrics",),
        "weights_cache": ("weights_cache",),
    }
)
"""Family of variables (a prefix) -> roles that may read it. An empty tuple: every playbook needs it."""


def ansible_inventory(plan: RegionPlan, roles: Collection[str] | None = None) -> dict[str, Any]:
    """The inventory; with `roles`, only what these roles read.

    A playbook run is repeated when its inventory changes, so it must not hold what it does not use.
    """
    return {
        "all": {
            "vars": _only(region_variables(plan), roles),
            "children": {
                "hosts": {
                    "children": {
                        str(group): {
                            "hosts": {
                                host.name: _only(host_variables(host, plan), roles)
                                for host in plan.hosts
                                if host.role is group
                            }
                        }
                        for group in GROUPS
                    }
                }
            },
        }
    }


def file_variables(plan: RegionPlan, roles: Collection[str] | None = None) -> dict[str, str]:
    """Variable -> reference, for public contents that are too long for the inventory."""
    endpoints = plan.endpoints
    references = {
        "apt_repository_key": endpoints.apt_key,
        "base_ca_certificate": endpoints.ca_certificate,
        "weights_cache_ca_certificate": endpoints.ca_certificate,
    }
    return _only(references, roles)


def secret_variables(plan: RegionPlan, roles: Collection[str] | None = None) -> dict[str, str]:
    """Variable -> reference, for contents that never enter the inventory."""
    references = {
        "kubernetes_ca_key": plan.endpoints.ca_key,
        "weights_cache_credentials": weights_credentials(plan),
    }
    return _only(references, roles)


def weights_credentials(plan: RegionPlan) -> str:
    """Reference to the account by which caches read the bucket of weights. It may do nothing else."""
    return plan.endpoints.credentials["weights_reader"]


def variable_names(plan: RegionPlan) -> frozenset[str]:
    """Every variable that any role may be given, without Ansible's own."""
    names = {*region_variables(plan), *file_variables(plan), *secret_variables(plan)}
    for host in plan.deployed_hosts:
        names |= host_variables(host, plan).keys()
    return frozenset(name for name in names if not name.startswith("ansible_"))


def host_variables(host: HostPlan, plan: RegionPlan) -> dict[str, Any]:
    """Those of a host itself."""
    shared = _shared_frr(plan)
    return {
        "ansible_host": host.oob_address,
        "ansible_user": "root",
        **{name: value for name, value in frr_variables(host, plan).items() if name not in shared},
        "kubernetes_node_ip": host.loopback,
        "kubernetes_pod_cidr": host.pod_cidr,
        "kubernetes_node_labels": {RACK_LABEL: host.rack, **_pool_label(host)},
        "pod_network_cidr": host.pod_cidr,
        "nvidia_driver_gpu_count": host.gpus,
        **({"dra_driver_pool": host.gpu_pool} if _has_pool(host) else {}),
    }


def _pool_label(host: HostPlan) -> dict[str, str]:
    """The kind of GPUs that a worker has, by which flavors of queues find it."""
    return {POOL_LABEL: host.gpu_pool} if _has_pool(host) else {}


def _has_pool(host: HostPlan) -> bool:
    return host.role is TrayRole.GPU_WORKER and host.gpus > 0


def _shared_frr(plan: RegionPlan) -> dict[str, Any]:
    return {
        "frr_bfd_interval_ms": plan.fabric.bfd_interval_ms,
        "frr_bfd_multiplier": plan.fabric.bfd_multiplier,
    }


def region_variables(plan: RegionPlan) -> dict[str, Any]:
    """Those of all hosts."""
    cluster, endpoints = plan.cluster, plan.endpoints
    return {
        "base_host_table": _host_table(plan),
        "base_dns_servers": list(endpoints.dns),
        "base_domain": plan.domain,
        "time_sync_servers": list(endpoints.ntp),
        # A simulated machine has no clock of its own.
        "time_sync_adjust_clock": not cluster.simulated,
        "apt_repository_url": endpoints.apt_url,
        "apt_repository_suite": endpoints.apt_suite,
        "containerd_version": cluster.containerd_version,
        "containerd_registry": endpoints.registry,
        "containerd_sandbox_image": cluster.image("pause").reference,
        "containerd_limited_oom_score": cluster.limited_oom_score,
        "containerd_cgroup_driver": "systemd" if cluster.cgroup_version == 2 else "cgroupfs",
        **_shared_frr(plan),
        "frr_local_networks": [cluster.service_network],
        **_kubernetes_variables(cluster),
        "kubernetes_registry": endpoints.registry,
        "kubernetes_admin_kubeconfig": str(kubeconfig_path(plan.region)),
        "pod_network_mtu": plan.fabric.mtu,
        "pod_network_endpoints": [f"{each.address}:{each.port}" for each in endpoints_of_tenants(plan)],
        "nvidia_driver_version": cluster.nvidia_driver,
        "dra_driver_image": cluster.image(DRA_DRIVER[cluster.simulated]).reference,
        "dra_driver_name": device_driver(cluster),
        "dra_driver_pools": {pool.name: driver_facts(pool) for pool in plan.runtime.fleet.pools},
        **_manifest("keda", cluster, "keda"),
        **_manifest("keda_http_add_on", cluster, "http-add-on"),
        **_manifest("envoy_gateway", cluster, "envoy-gateway"),
        "envoy_gateway_envoy_image": cluster.image("envoy").reference,
        **_manifest("kueue", cluster, "kueue"),
        "kueue_device_classes": {QUOTA_DEVICES: [cluster.device_class]},
        "network_policies_image": cluster.image("kube-router").reference,
        "network_policies_service_network": cluster.service_network,
        "metrics_image": cluster.image("victoria-metrics").reference,
        "metrics_state_image": cluster.image("kube-state-metrics").reference,
        "metrics_claims_image": cluster.image("claim-metrics").reference,
        "metrics_reader_networks": [
            f"{host.loopback}/32" for host in plan.deployed_hosts if host.role is TrayRole.CONTROL_PLANE
        ],
        **_weights_cache(plan),
    }


def _weights_cache(plan: RegionPlan) -> dict[str, Any]:
    store = next(each for each in endpoints_of_tenants(plan) if each.name == "s3")
    first: dict[str, str] = {}
    for host in plan.deployed_hosts:
        if host.role is TrayRole.GPU_WORKER:
            first.setdefault(host.rack, host.name)
    return {
        "weights_cache_image": plan.cluster.image(WEIGHTS_IMAGE).reference,
        "weights_cache_size_gib": plan.runtime.weights_cache_gib,
        "weights_cache_racks": first,
        "weights_cache_endpoint": plan.endpoints.s3,
        "weights_cache_bucket": WEIGHTS_BUCKET,
        "weights_cache_store": {"address": store.address, "port": store.port},
    }


def _host_table(plan: RegionPlan) -> str:
    """Made once, here. As a list it would be validated and rendered for every host: 1.7 CPU-seconds each at 4,500."""
    return "".join(f"{host.loopback} {host.name}.{plan.domain} {host.name}\n" for host in plan.deployed_hosts)


def _kubernetes_variables(cluster: ClusterPlan) -> dict[str, Any]:
    images = (cluster.image(name) for name in KUBEADM_IMAGES)
    return {
        "kubernetes_version": cluster.kubernetes_version,
        "kubernetes_cluster_domain": cluster.domain,
        "kubernetes_cgroup_version": cluster.cgroup_version,
        "kubernetes_limited_oom_score": cluster.limited_oom_score,
        "kubernetes_api_address": cluster.api_address,
        "kubernetes_api_external": cluster.api_external,
        "kubernetes_pod_network": cluster.pod_network,
        "kubernetes_service_network": cluster.service_network,
        "kubernetes_dns_address": cluster.dns_address,
        "kubernetes_images": {image.name: {"reference": image.reference, "tag": image.tag} for image in images},
        "kubernetes_join_pace": cluster.join_pace,
    }


def _manifest(role: str, cluster: ClusterPlan, name: str) -> dict[str, str]:
    manifest = cluster.manifest(name)
    return {f"{role}_manifest_url": manifest.url, f"{role}_manifest_sha256": manifest.sha256}


def _only(variables: Mapping[str, Any], roles: Collection[str] | None) -> dict[str, Any]:
    if roles is None:
        return dict(variables)
    wanted = set(roles)
    return {name: value for name, value in variables.items() if _is_read_by(name, wanted)}


def _is_read_by(variable: str, roles: Collection[str]) -> bool:
    readers = ROLES_OF_VARIABLES[family(variable)]
    return not readers or any(role in roles for role in readers)


def family(variable: str) -> str:
    """The longest known prefix of a variable's name."""
    return max((f for f in ROLES_OF_VARIABLES if variable.startswith(f"{f}_")), key=len)
