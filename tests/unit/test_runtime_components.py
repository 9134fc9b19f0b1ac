"""What the Pulumi components of the serverless runtime declare."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from components.plan.tenants import ScalingPlan, ServicePlan
from components.runtime.service import Service, ServiceArgs
from components.spec.service import ServicePort
from tests.pulumi_mocks import Registered, children, declare

DIGEST = "registry.lab.internal:5000/lab/hello-gpu@sha256:" + "0" * 64
SERVICE = ServicePlan(
    name="hello-gpu",
    tenant="demo",
    namespace="tenant-demo",
    image=DIGEST,
    host="hello-gpu.demo.lab.internal",
    ports=(ServicePort(),),
    gpus=1,
    min_replicas=0,
    max_replicas=2,
    idle_after_s=15,
    scaling=ScalingPlan(concurrency=10),
)


def declare_service(service: ServicePlan = SERVICE) -> dict[str, Registered]:
    args = ServiceArgs(service=service, device_class="gpu", gateway="front", region="lab")
    return declare(lambda: Service("hello-gpu", args))


@pytest.fixture(scope="module")
def seen() -> dict[str, Registered]:
    return declare_service()


def test_a_service_is_all_the_objects_between_the_gateway_and_its_pods(seen: dict[str, Registered]) -> None:
    kinds = sorted(r.type.rpartition(":")[2] for r in children(seen, "hello-gpu").values())
    assert kinds == [
        "Deployment",
        "HTTPRoute",
        "InterceptorRoute",
        "ReferenceGrant",
        "ResourceClaimTemplate",
        "ScaledObject",
        "Service",
    ]
    assert seen["hello-gpu"].outputs == {"url": "http://hello-gpu.demo.lab.internal/", "namespace": "tenant-demo"}


def test_a_service_starts_asleep_and_leaves_the_count_to_keda(seen: dict[str, Registered]) -> None:
    deployment = seen["hello-gpu-deployment"]
    assert deployment.inputs["spec"]["replicas"] == 0
    assert deployment.ignored == ("spec.replicas",)


def test_pulumi_does_not_wait_for_pods_that_are_meant_to_sleep(seen: dict[str, Registered]) -> None:
    for name in ("hello-gpu-deployment", "hello-gpu-service"):
        assert seen[name].inputs["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}


def test_a_pod_claims_its_gpus_through_the_neutral_class(seen: dict[str, Registered]) -> None:
    request = seen["hello-gpu-claim"].inputs["spec"]["spec"]["devices"]["requests"][0]
    assert request["exactly"] == {"deviceClassName": "gpu", "count": 1}
    pod = seen["hello-gpu-deployment"].inputs["spec"]["template"]["spec"]
    assert pod["resourceClaims"] == [{"name": "gpu", "resourceClaimTemplateName": "hello-gpu"}]
    assert pod["containers"][0]["resources"]["claims"] == [{"name": "gpu"}]


def test_a_service_without_gpus_claims_nothing() -> None:
    seen = declare_service(replace(SERVICE, gpus=0))
    assert "hello-gpu-claim" not in seen
    pod = seen["hello-gpu-deployment"].inputs["spec"]["template"]["spec"]
    assert "resourceClaims" not in pod


def _empty(value: Any, path: str) -> list[str]:
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return [path] if not fields else [p for key, v in fields.items() for p in _empty(v, f"{path}.{key}")]
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return [path] if not items else [p for i, v in enumerate(items) for p in _empty(v, f"{path}[{i}]")]
    return []


@pytest.mark.parametrize("gpus", [0, 1])
def test_no_object_declares_an_empty_field_which_would_differ_at_each_preview(gpus: int) -> None:
    seen = declare_service(replace(SERVICE, gpus=gpus))
    assert [p for r in seen.values() if not r.is_component for p in _empty(r.inputs, r.name)] == []


def test_a_pod_meets_the_restricted_security_level(seen: dict[str, Registered]) -> None:
    pod = seen["hello-gpu-deployment"].inputs["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert pod["automountServiceAccountToken"] is False


def test_the_image_is_named_by_digest_and_nothing_else(seen: dict[str, Registered]) -> None:
    container = seen["hello-gpu-deployment"].inputs["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == DIGEST


def test_the_first_request_wakes_by_a_push_not_by_a_poll(seen: dict[str, Registered]) -> None:
    spec = seen["hello-gpu-scaling"].inputs["spec"]
    trigger = spec["triggers"][0]
    assert trigger["type"] == "external-push"
    assert trigger["metadata"] == {
        "scalerAddress": "keda-add-ons-http-external-scaler.keda:9090",
        "interceptorRoute": "hello-gpu",
    }
    assert (spec["minReplicaCount"], spec["maxReplicaCount"], spec["cooldownPeriod"]) == (0, 2, 15)


def test_scaling_comes_after_what_it_scales(seen: dict[str, Registered]) -> None:
    assert {"hello-gpu-deployment", "hello-gpu-interceptor"} <= seen["hello-gpu-scaling"].depends_on


def test_requests_go_through_the_interceptor_which_the_namespace_allows(seen: dict[str, Registered]) -> None:
    route = seen["hello-gpu-route"].inputs["spec"]
    assert route["hostnames"] == ["hello-gpu.demo.lab.internal"]
    (parent,) = route["parentRefs"]
    assert (parent["kind"], parent["name"], parent["namespace"]) == ("ListenerSet", "front", "gateway")
    backend = route["rules"][0]["backendRefs"][0]
    assert backend == {"name": "keda-add-ons-http-interceptor-proxy", "namespace": "keda", "port": 8080}
    grant = seen["hello-gpu-grant"].inputs
    assert grant["metadata"]["namespace"] == "keda"
    assert grant["spec"]["from"][0]["namespace"] == "tenant-demo"
    assert grant["spec"]["to"] == [{"group": "", "kind": "Service", "name": "keda-add-ons-http-interceptor-proxy"}]
