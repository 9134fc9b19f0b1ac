"""What a cluster's objects say, against the plan.

Pure: objects as the API tells them in, results out. cluster.py reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from components.checks.judge import condition, judged, name_of
from components.checks.result import CheckResult
from components.plan.model import HostPlan, RegionPlan
from components.plan.serving import device_driver
from components.plan.tenancy.quota import quota_spec
from components.plan.tenants import TenantPlan

NODE_RUNBOOK = "docs/runbooks/NodeNotReady.md"

Objects = Sequence[Mapping[str, Any]]


def check_nodes(plan: RegionPlan, nodes: Objects) -> Iterator[CheckResult]:
    """Each planned host is a Ready node in the planned version and address, and nobody else is one."""
    found = {name_of(node): node for node in nodes}
    planned = {host.name: host for host in plan.deployed_hosts}
    yield judged(
        "cluster.nodes",
        good=found.keys() == planned.keys(),
        expected=", ".join(sorted(planned)),
        found=", ".join(sorted(found)) or "no node",
        remedy="missing nodes join with `region up`; remove strangers with `kubectl delete node`, after you know whose they are",
    )
    for name, host in planned.items():
        if name in found:
            yield _check_node(plan, host, found[name])


def _check_node(plan: RegionPlan, host: HostPlan, node: Mapping[str, Any]) -> CheckResult:
    version = f"v{plan.cluster.kubernetes_version}"
    is_ready, words = condition(node, "Ready")
    runs = str(node["status"]["nodeInfo"]["kubeletVersion"])
    addresses = [a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP"]
    taken = bool(node["spec"].get("unschedulable"))
    return judged(
        f"cluster.node.{host.name}",
        good=is_ready and runs == version and addresses == [host.loopback] and not taken,
        expected=f"Ready, kubelet {version}, address {host.loopback}, takes pods",
        found=f"{'Ready' if is_ready else words}, kubelet {runs}, address {', '.join(addresses) or 'none'}, "
        + ("cordoned" if taken else "takes pods"),
        remedy=f"see {NODE_RUNBOOK}",
    )


def check_images(plan: RegionPlan, pods: Objects) -> CheckResult:
    """Every container runs an image of the region's registry that is named by digest."""
    registry = f"{plan.endpoints.registry}/"
    wrong: dict[str, str] = {}
    count = 0
    for pod in pods:
        for container in (*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or ())):
            count += 1
            image = str(container["image"])
            if not image.startswith(registry) or "@sha256:" not in image:
                wrong[image] = f"{pod['metadata']['namespace']}/{name_of(pod)}"
    return judged(
        "cluster.images",
        good=not wrong and count > 0,
        expected=f"all images from {registry} by digest",
        found="; ".join(f"{pod} runs {image}" for image, pod in sorted(wrong.items())) or f"all {count} containers",
        remedy="name the image in the artifact index and let the plan give its digest; a tag can change its content",
    )


def check_dns(deployment: Mapping[str, Any] | None) -> CheckResult:
    """Cluster DNS has all its pods."""
    wanted = int(deployment["spec"]["replicas"]) if deployment else 1
    ready = int(deployment.get("status", {}).get("readyReplicas", 0)) if deployment else 0
    return judged(
        "cluster.dns",
        good=ready >= wanted,
        expected=f"{wanted} CoreDNS pods ready",
        found=f"{ready} ready" if deployment else "no deployment kube-system/coredns",
        remedy="`kubectl -n kube-system describe pods -l k8s-app=kube-dns`",
    )


def check_device_class(plan: RegionPlan, device_class: Mapping[str, Any] | None) -> CheckResult:
    """The neutral class exists and selects the devices of the planned driver."""
    driver = device_driver(plan.cluster)
    selectors = cast("list[Mapping[str, Any]]", (device_class or {}).get("spec", {}).get("selectors") or [])
    rules = [str(s["cel"]["expression"]) for s in selectors if "cel" in s]
    return judged(
        "cluster.device_class",
        good=any(driver in rule for rule in rules),
        expected=f"DeviceClass {plan.cluster.device_class} selects the devices of {driver}",
        found="; ".join(rules) if device_class else "no such class",
        remedy="`region up <region> --layer cluster` declares it",
    )


def check_namespace(plan: RegionPlan, tenant: TenantPlan, quota: Mapping[str, Any] | None) -> CheckResult:
    """A tenant's quota is the planned one."""
    planned = cast("Mapping[str, str]", quota_spec(tenant, plan.cluster.device_class)["hard"])
    hard = cast("Mapping[str, str]", (quota or {}).get("spec", {}).get("hard") or {})
    wrong = {key: hard.get(key, "any number") for key, value in planned.items() if hard.get(key) != value}
    return judged(
        f"cluster.namespace.{tenant.namespace}",
        good=not wrong,
        expected=f"a quota of {', '.join(f'{value} {key}' for key, value in sorted(planned.items()))}",
        found="as planned"
        if not wrong
        else ", ".join(f"{value} {key}" for key, value in sorted(wrong.items()))
        if quota
        else "no quota",
        remedy="`region up <region> --layer cluster` declares it",
    )
