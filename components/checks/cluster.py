"""Whether the cluster is what the plan says. Read-only, unless the caller asks for the probe.

Owns what is read and in which words it is judged; the judgement of plain objects is in
cluster_objects.py. With `probe` it makes pods of its own in a namespace of their own, and removes
them: nothing else shows that pods reach each other.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from components.checks.cluster_objects import (
    NODE_RUNBOOK,
    check_device_class,
    check_dns,
    check_images,
    check_namespace,
    check_nodes,
)
from components.checks.judge import judged
from components.checks.pod_network import check_pod_network
from components.checks.result import CheckResult
from components.checks.tenants import check_tenant_bounds
from components.clients.kubernetes import Kubernetes, KubernetesError
from components.clients.secrets import resolve
from components.clients.tls import CertificateError, verified_certificate
from components.plan.model import RegionPlan
from components.plan.naming import kubeconfig_path

API_PORT = 6443


async def check_cluster(plan: RegionPlan, project: Path, *, probe: bool = False) -> list[CheckResult]:
    """All checks of the cluster layer. `probe` makes short-lived pods and calls them.

    Raises KubeconfigError and KubernetesError if there is no cluster to ask.
    """
    async with Kubernetes.from_file(project / kubeconfig_path(plan.region)) as api:
        of_api, of_certificate, of_objects, of_tenants, of_network = await asyncio.gather(
            _check_api(plan, api),
            _check_certificate(plan, project),
            _check_objects(plan, api),
            check_tenant_bounds(plan, api),
            check_pod_network(plan, project, probe=probe),
        )
        return [of_api, of_certificate, *of_objects, *of_tenants, *of_network]


async def _check_objects(plan: RegionPlan, api: Kubernetes) -> list[CheckResult]:
    tenants = plan.cluster.tenants
    nodes, pods, dns, device_class = await asyncio.gather(
        api.items("/api/v1/nodes"),
        api.items("/api/v1/pods"),
        api.find("/apis/apps/v1/namespaces/kube-system/deployments/coredns"),
        api.find(f"/apis/resource.k8s.io/v1/deviceclasses/{plan.cluster.device_class}"),
    )
    quotas = await asyncio.gather(
        *(api.find(f"/api/v1/namespaces/{tenant.namespace}/resourcequotas/tenant") for tenant in tenants)
    )
    return [
        *check_nodes(plan, nodes),
        check_images(plan, pods),
        check_dns(dns),
        check_device_class(plan, device_class),
        *(check_namespace(plan, tenant, quota) for tenant, quota in zip(tenants, quotas, strict=True)),
    ]


async def _check_api(plan: RegionPlan, api: Kubernetes) -> CheckResult:
    wanted = f"v{plan.cluster.kubernetes_version}"
    version = str((await api.get("/version"))["gitVersion"])
    try:
        health = await api.text("/readyz")
    except KubernetesError as error:
        health = str(error)
    return judged(
        "cluster.api",
        good=version == wanted and health == "ok",
        expected=f"version {wanted}, ready",
        found=f"version {version}, {'ready' if health == 'ok' else health}",
        remedy=f"see {NODE_RUNBOOK}; `kubectl get --raw '/readyz?verbose'` names the part that is not ready",
    )


async def _check_certificate(plan: RegionPlan, project: Path) -> CheckResult:
    address = plan.cluster.api_external
    ca = resolve(project, plan.endpoints.ca_certificate, private=False)
    try:
        shown = await verified_certificate(address, API_PORT, ca)
        is_good, found = True, f"issued by {shown.issuer}, valid until {shown.not_after}"
    except CertificateError as error:
        is_good, found = False, str(error.problems[0].found)
    return judged(
        "cluster.api.certificate",
        good=is_good,
        expected=f"{address}:{API_PORT} shows a certificate for its address from the region's authority",
        found=found,
        remedy="renew it with `kubeadm certs renew apiserver` on the control plane; compare /etc/kubernetes/pki/ca.crt there "
        f"with {plan.endpoints.ca_certificate}",
    )
