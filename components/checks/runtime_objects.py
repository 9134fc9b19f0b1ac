"""What the objects of the serverless runtime say, against the plan.

Pure: objects as the API tells them in, results out. runtime.py reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from components.checks.judge import condition, judged, name_of
from components.checks.result import CheckResult
from components.plan.model import RegionPlan, TrayRole
from components.plan.serving import ENVOY_NAMESPACE, KEDA_NAMESPACE, device_driver
from components.plan.tenants import ServicePlan

WAKE_RUNBOOK = "docs/runbooks/FunctionDoesNotWake.md"

ADD_ONS = {
    KEDA_NAMESPACE: (
        "keda-operator",
        "keda-metrics-apiserver",
        "keda-admission",
        "keda-add-ons-http-operator",
        "keda-add-ons-http-scaler",
        "keda-add-ons-http-interceptor",
    ),
    ENVOY_NAMESPACE: ("envoy-gateway",),
}
"""Namespace -> deployments that the runtime playbook installs."""

Objects = Sequence[Mapping[str, Any]]


def check_add_ons(namespace: str, deployments: Objects) -> CheckResult:
    """All deployments of one namespace have all their pods."""
    found = {name_of(d): d for d in deployments}
    missing = [name for name in ADD_ONS[namespace] if name not in found]
    short = [
        f"{name} {ready} of {wanted}"
        for name, d in found.items()
        if (ready := int(d.get("status", {}).get("readyReplicas", 0))) < (wanted := int(d["spec"].get("replicas", 1)))
    ]
    return judged(
        f"runtime.add_ons.{namespace}",
        good=not missing and not short,
        expected=f"all pods of {', '.join(ADD_ONS[namespace])} ready",
        found="; ".join([*(f"no {name}" for name in missing), *short]) or f"all of {len(found)} deployments",
        remedy=f"`kubectl -n {namespace} get pods`, then `region up <region> --layer runtime`",
    )


def check_devices(plan: RegionPlan, slices: Objects) -> Iterator[CheckResult]:
    """Each GPU host publishes its GPUs as devices that can be claimed."""
    driver = device_driver(plan.cluster)
    count: dict[str, int] = {}
    for published in slices:
        spec = published["spec"]
        if spec.get("driver") == driver and spec.get("nodeName"):
            node = str(spec["nodeName"])
            count[node] = count.get(node, 0) + len(spec.get("devices") or ())
    for host in plan.deployed_hosts:
        if host.role is TrayRole.GPU_WORKER:
            yield judged(
                f"runtime.devices.{host.name}",
                good=count.get(host.name, 0) == host.gpus,
                expected=f"{host.gpus} devices of {driver}",
                found=f"{count.get(host.name, 0)} devices",
                remedy="`kubectl -n dra-driver get pods -o wide` and the log of the pod on this host",
            )


def check_gateway(plan: RegionPlan, gateway: Mapping[str, Any] | None) -> CheckResult:
    """The Gateway is programmed and has the region's address."""
    is_programmed, words = condition(gateway, "Programmed")
    stated = cast("list[Mapping[str, Any]]", (gateway or {}).get("status", {}).get("addresses") or [])
    addresses = [str(a["value"]) for a in stated]
    return judged(
        "runtime.gateway",
        good=is_programmed and plan.runtime.gateway_vip in addresses,
        expected=f"Gateway {plan.runtime.gateway} programmed, at {plan.runtime.gateway_vip}",
        found=f"{'programmed' if is_programmed else words}, at {', '.join(addresses) or 'no address'}",
        remedy=f"see {WAKE_RUNBOOK}",
    )


def check_service(
    plan: ServicePlan,
    scaled: Mapping[str, Any] | None,
    interceptor: Mapping[str, Any] | None,
    route: Mapping[str, Any] | None,
    *,
    name: str | None = None,
) -> CheckResult:
    """A service's route is accepted, the interceptor knows it, and KEDA scales it. `name` is of one of its tracks."""
    words = {
        "scaling": _unless_good(condition(scaled, "Ready")),
        "interceptor": _unless_good(condition(interceptor, "Ready")),
        **{f"route {kind}": _unless_good(_route_condition(route, kind)) for kind in ("Accepted", "ResolvedRefs")},
    }
    wrong = {name: text for name, text in words.items() if text}
    return judged(
        f"runtime.service.{name or plan.name}",
        good=not wrong,
        expected="its route is accepted, the interceptor knows it, KEDA scales it",
        found="; ".join(f"{name}: {text}" for name, text in wrong.items()) or "all three",
        remedy=f"see {WAKE_RUNBOOK}",
    )


def check_worker(plan: ServicePlan, scaled: Mapping[str, Any] | None) -> CheckResult:
    """KEDA scales a worker that has a target; one without keeps its number."""
    has_target = bool(
        plan.scaling.queue or plan.scaling.schedule or plan.scaling.cpu_percent or plan.scaling.memory_percent
    )
    is_good, words = condition(scaled, "Ready") if has_target else (scaled is None, "is scaled, and should not be")
    return judged(
        f"runtime.service.{plan.name}",
        good=is_good,
        expected="KEDA scales it" if has_target else "a fixed number of replicas",
        found="as expected" if is_good else words,
        remedy=f"`kubectl -n {plan.namespace} describe scaledobject {plan.name}`; see {WAKE_RUNBOOK}",
    )


def _unless_good(outcome: tuple[bool, str]) -> str:
    is_good, words = outcome
    return "" if is_good else words


def _route_condition(route: Mapping[str, Any] | None, kind: str) -> tuple[bool, str]:
    """A condition of the route at its Gateway; a route that no Gateway took has none."""
    if route is None:
        return False, "not there"
    parents = cast("list[Mapping[str, Any]]", route.get("status", {}).get("parents") or [])
    if not parents:
        return False, "no Gateway has looked at it"
    return condition({"status": parents[0]}, kind)


def claimed_devices(claims: Objects, pods: frozenset[str]) -> list[str]:
    """Names of the devices that are allocated to claims of these pods, sorted."""
    devices: list[str] = []
    for claim in claims:
        status = cast("Mapping[str, Any]", claim.get("status") or {})
        users = {str(user["name"]) for user in status.get("reservedFor") or ()}
        if users & pods:
            allocation = cast("Mapping[str, Mapping[str, Any]]", status.get("allocation") or {})
            results = cast("list[Mapping[str, Any]]", allocation.get("devices", {}).get("results") or [])
            devices += [str(result["device"]) for result in results]
    return sorted(devices)
