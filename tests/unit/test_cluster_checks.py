"""How a cluster's and the runtime's objects are judged: each check has a good case and what breaks it."""

from __future__ import annotations

from typing import Any

import pytest

from components.checks.cluster_objects import (
    check_device_class,
    check_dns,
    check_images,
    check_namespace,
    check_nodes,
)
from components.checks.pod_network import ring, sampled
from components.checks.result import CheckResult, Status
from components.checks.runtime_objects import (
    ADD_ONS,
    check_add_ons,
    check_devices,
    check_gateway,
    check_service,
    claimed_devices,
)
from components.checks.wake import gpus_of
from components.plan.model import HostPlan, RegionPlan, TrayRole
from components.plan.tenancy.quota import quota_spec

Object = dict[str, Any]


def node(host: HostPlan, version: str, *, ready: str = "True", **spec: Any) -> Object:
    return {
        "metadata": {"name": host.name},
        "spec": spec,
        "status": {
            "conditions": [{"type": "Ready", "status": ready, "reason": "KubeletNotReady", "message": "no network"}],
            "nodeInfo": {"kubeletVersion": version},
            "addresses": [{"type": "InternalIP", "address": host.loopback}, {"type": "Hostname", "address": host.name}],
        },
    }


def nodes(plan: RegionPlan, **last: Any) -> list[Object]:
    version = f"v{plan.cluster.kubernetes_version}"
    hosts = plan.deployed_hosts
    return [node(h, version, **(last if h is hosts[-1] else {})) for h in hosts]


def failed(results: list[CheckResult]) -> dict[str, str]:
    assert all(r.remedy for r in results if r.status is not Status.OK)
    return {r.name: r.found for r in results if r.status is not Status.OK}


def test_the_planned_nodes_are_good(lab_plan: RegionPlan) -> None:
    assert failed(list(check_nodes(lab_plan, nodes(lab_plan)))) == {}


def test_a_missing_node_and_a_stranger_are_both_told(lab_plan: RegionPlan) -> None:
    found = nodes(lab_plan)
    found[-1]["metadata"]["name"] = "stranger"
    told = failed(list(check_nodes(lab_plan, found)))
    assert told == {"cluster.nodes": "lab-r01-t01, lab-r01-t02, stranger"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ready": "False"}, "Ready is False (KubeletNotReady: no network)"),
        ({"unschedulable": True}, "cordoned"),
    ],
)
def test_a_node_that_takes_no_pods_is_told_with_its_own_words(
    lab_plan: RegionPlan, change: dict[str, Any], words: str
) -> None:
    told = failed(list(check_nodes(lab_plan, nodes(lab_plan, **change))))
    assert list(told) == [f"cluster.node.{lab_plan.deployed_hosts[-1].name}"]
    assert words in told[f"cluster.node.{lab_plan.deployed_hosts[-1].name}"]


def test_a_node_in_another_version_is_told(lab_plan: RegionPlan) -> None:
    found = nodes(lab_plan)
    found[0]["status"]["nodeInfo"]["kubeletVersion"] = "v1.35.0"
    assert "kubelet v1.35.0" in failed(list(check_nodes(lab_plan, found)))["cluster.node.lab-r01-t01"]


@pytest.mark.parametrize(
    "image",
    ["docker.io/library/nginx@sha256:00", "registry.lab.internal:5000/nginx:1.27", "nginx"],
)
def test_an_image_from_elsewhere_or_by_tag_is_told_with_its_pod(lab_plan: RegionPlan, image: str) -> None:
    good = "registry.lab.internal:5000/kubernetes/etcd@sha256:00"
    pod: Object = {
        "metadata": {"name": "p", "namespace": "n"},
        "spec": {"containers": [{"image": good}], "initContainers": [{"image": image}]},
    }
    assert failed([check_images(lab_plan, [pod])]) == {"cluster.images": f"n/p runs {image}"}
    pod["spec"]["initContainers"] = None
    assert failed([check_images(lab_plan, [pod])]) == {}


def test_dns_needs_all_its_pods() -> None:
    assert check_dns({"spec": {"replicas": 2}, "status": {"readyReplicas": 2}}).status is Status.OK
    assert check_dns({"spec": {"replicas": 2}, "status": {"readyReplicas": 1}}).status is Status.FAIL
    assert check_dns(None).found == "no deployment kube-system/coredns"


def test_the_device_class_must_select_the_planned_driver(lab_plan: RegionPlan) -> None:
    def selecting(rule: str) -> Object:
        return {"spec": {"selectors": [{"cel": {"expression": rule}}]}}

    assert check_device_class(lab_plan, selecting("device.driver == 'gpu.example.com'")).status is Status.OK
    assert check_device_class(lab_plan, selecting("device.driver == 'other'")).status is Status.FAIL
    assert check_device_class(lab_plan, None).found == "no such class"


def test_a_quota_that_somebody_raised_is_told(lab_plan: RegionPlan) -> None:
    tenant = lab_plan.cluster.tenants[0]
    hard = quota_spec(tenant, lab_plan.cluster.device_class)["hard"]
    assert check_namespace(lab_plan, tenant, {"spec": {"hard": hard}}).status is Status.OK
    raised = {**hard, "gpu.deviceclass.resource.k8s.io/devices": "400"}
    assert "400 gpu.deviceclass" in check_namespace(lab_plan, tenant, {"spec": {"hard": raised}}).found
    assert check_namespace(lab_plan, tenant, None).found == "no quota"


def test_an_add_on_with_a_pod_missing_is_told() -> None:
    def deployment(name: str, ready: int) -> Object:
        return {"metadata": {"name": name}, "spec": {"replicas": 1}, "status": {"readyReplicas": ready}}

    all_ready = [deployment(name, 1) for name in ADD_ONS["keda"]]
    assert check_add_ons("keda", all_ready).status is Status.OK
    assert check_add_ons("keda", [deployment("keda-operator", 0), *all_ready[1:]]).found == "keda-operator 0 of 1"
    assert check_add_ons("keda", all_ready[1:]).found == "no keda-operator"


def test_devices_are_counted_by_host_and_driver(lab_plan: RegionPlan) -> None:
    def published(host: str, count: int, driver: str = "gpu.example.com") -> Object:
        return {"spec": {"driver": driver, "nodeName": host, "devices": [{"name": f"gpu-{i}"} for i in range(count)]}}

    workers = [h.name for h in lab_plan.deployed_hosts if h.role is TrayRole.GPU_WORKER]
    gpus = lab_plan.deployed_hosts[0].gpus
    slices = [published(workers[0], gpus), published(workers[1], gpus - 1), published(workers[1], 9, "nic.example.com")]
    assert failed(list(check_devices(lab_plan, slices))) == {f"runtime.devices.{workers[1]}": f"{gpus - 1} devices"}


def test_a_gateway_at_another_address_is_told(lab_plan: RegionPlan) -> None:
    def gateway(address: str, status: str = "True") -> Object:
        return {"status": {"addresses": [{"value": address}], "conditions": [{"type": "Programmed", "status": status}]}}

    assert check_gateway(lab_plan, gateway("10.255.2.1")).status is Status.OK
    assert "10.96.0.7" in check_gateway(lab_plan, gateway("10.96.0.7")).found
    assert "Programmed is False" in check_gateway(lab_plan, gateway("10.255.2.1", "False")).found
    assert "not there" in check_gateway(lab_plan, None).found


def test_a_service_needs_its_route_its_interceptor_and_its_scaling(lab_plan: RegionPlan) -> None:
    service = lab_plan.runtime.services[0]
    ready: Object = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    conditions = [{"type": "Accepted", "status": "True"}, {"type": "ResolvedRefs", "status": "True"}]
    route: Object = {"status": {"parents": [{"conditions": conditions}]}}
    assert check_service(service, ready, ready, route).status is Status.OK
    assert check_service(service, None, ready, route).found == "scaling: not there"
    assert "no Gateway has looked at it" in check_service(service, ready, ready, {"status": {}}).found
    conditions[1] |= {"status": "False", "reason": "RefNotPermitted"}
    assert "RefNotPermitted" in check_service(service, ready, ready, route).found


def test_devices_of_a_pod_are_those_of_its_claims() -> None:
    def claim(pod: str, device: str) -> Object:
        allocation = {"devices": {"results": [{"device": device}]}}
        return {"status": {"reservedFor": [{"name": pod}], "allocation": allocation}}

    claims = [claim("mine", "gpu-3"), claim("mine", "gpu-1"), claim("other", "gpu-2"), {}]
    assert claimed_devices(claims, frozenset({"mine"})) == ["gpu-1", "gpu-3"]


def test_only_an_answer_that_tells_gpus_is_held_to_them() -> None:
    assert gpus_of('{"gpus": ["gpu-1"]}') == ["gpu-1"]
    assert gpus_of('{"tokens": 3}') is None
    assert gpus_of("hello") is None


def test_a_sample_of_hosts_is_spread_and_each_calls_the_next() -> None:
    hosts = [f"h{i}" for i in range(100)]
    assert sampled(hosts, 4) == ["h0", "h25", "h50", "h75"]
    assert sampled(hosts[:2], 4) == ["h0", "h1"]
    assert ring(["a", "b"]) == [("a", "b"), ("b", "a")]
