"""What the roles of the runtime layer apply to a cluster, rendered with the lab's plan."""

from __future__ import annotations

import json
from typing import Any, cast

from ruamel.yaml import YAML

from components.plan import RegionPlan
from components.plan.serving import GATEWAY_CLASS, H2C, INTERCEPTOR_HTTP2_PORT, INTERCEPTOR_SERVICE, device_driver
from tests.role_render import evaluate, render

CONTROL = "lab-r01-t01"


def documents(text: str) -> list[dict[str, Any]]:
    return list(cast("Any", YAML(typ="safe")).load_all(text))


def patches(plan: RegionPlan, template: str, kind: str, name: str | None = None) -> list[dict[str, Any]]:
    """Operations on one object, of all patches that select it."""
    (kustomization,) = documents(render(plan, CONTROL, template))
    selected = {"kind": kind, "name": name} if name else {"kind": kind}
    chosen = [p["patch"] for p in kustomization["patches"] if p["target"] == selected]
    return [operation for patch in chosen for operation in cast("Any", YAML(typ="safe")).load(patch)]


def test_the_operator_of_keda_is_asked_early_whether_it_is_ready(lab_plan: RegionPlan) -> None:
    (delay,) = patches(lab_plan, "keda/kustomization.yaml.j2", "Deployment", "keda-operator")
    assert delay["path"].endswith("/readinessProbe/initialDelaySeconds")
    assert delay["value"] == 1


def test_the_scaler_looks_ten_times_as_often_as_upstream(lab_plan: RegionPlan) -> None:
    template = "keda_http_add_on/kustomization.yaml.j2"
    added = [op["value"] for op in patches(lab_plan, template, "Deployment", "keda-add-ons-http-scaler")]
    assert added == [
        {"name": "KEDA_HTTP_QUEUE_TICK_DURATION", "value": "50ms"},
        {"name": "KEDA_HTTP_SCALER_STREAM_INTERVAL_MS", "value": "50"},
    ]


def test_the_count_of_interceptors_is_keda_s_and_never_one(lab_plan: RegionPlan) -> None:
    template = "keda_http_add_on/kustomization.yaml.j2"
    operations = patches(lab_plan, template, "Deployment", "keda-add-ons-http-interceptor")
    assert {"op": "remove", "path": "/spec/replicas"} in operations
    (least,) = patches(lab_plan, template, "ScaledObject", "keda-add-ons-http-interceptor")
    assert least == {"op": "replace", "path": "/spec/minReplicaCount", "value": 2}


def test_an_interceptor_gives_up_dead_connections_and_every_kubelet_lets_it(lab_plan: RegionPlan) -> None:
    template = "keda_http_add_on/kustomization.yaml.j2"
    operations = patches(lab_plan, template, "Deployment", "keda-add-ons-http-interceptor")
    (asked,) = (op["value"] for op in operations if op["path"].endswith("/securityContext/sysctls"))
    assert asked == [{"name": "net.ipv4.tcp_retries2", "value": "5"}]
    allowed = evaluate(lab_plan, CONTROL, "kubernetes", "kubernetes_unsafe_sysctls")
    assert allowed == [each["name"] for each in asked], "and nothing that nobody asks for"


def test_the_interceptor_s_listener_has_a_second_port_that_says_http2(lab_plan: RegionPlan) -> None:
    template = "keda_http_add_on/kustomization.yaml.j2"
    (added,) = patches(lab_plan, template, "Service", INTERCEPTOR_SERVICE)
    port = added["value"]
    assert (port["port"], port["targetPort"], port["appProtocol"]) == (INTERCEPTOR_HTTP2_PORT, "proxy", H2C)


def test_the_job_of_certificates_runs_once_for_each_version_of_the_gateway(lab_plan: RegionPlan) -> None:
    sha256 = lab_plan.cluster.manifest("envoy-gateway").sha256
    operations = patches(lab_plan, "envoy_gateway/gateway/kustomization.yaml.j2", "Job")
    assert {"op": "replace", "path": "/metadata/name", "value": f"certificates-{sha256[:10]}"} in operations
    assert {"op": "remove", "path": "/spec/ttlSecondsAfterFinished"} in operations


def test_proxies_run_the_regions_image_behind_announced_addresses_alone(lab_plan: RegionPlan) -> None:
    of_class, proxy = documents(render(lab_plan, CONTROL, "envoy_gateway/class/class.yaml.j2"))
    assert of_class["metadata"]["name"] == GATEWAY_CLASS, "the name that Gateways refer to"
    assert of_class["spec"]["parametersRef"]["name"] == proxy["metadata"]["name"]
    settings = proxy["spec"]["provider"]["kubernetes"]
    assert settings["envoyDeployment"]["container"]["image"] == lab_plan.cluster.image("envoy").reference
    assert settings["envoyDeployment"]["replicas"] == 2
    assert settings["envoyService"]["allocateLoadBalancerNodePorts"] is False


def test_the_device_driver_publishes_the_gpus_of_each_pool_under_the_name_that_the_class_selects(
    lab_plan: RegionPlan,
) -> None:
    pools, driver = documents(render(lab_plan, CONTROL, "dra_driver/driver.yaml.j2"))
    told = json.loads(pools["data"]["pools.json"])["pools"]
    assert told == {
        "nspawn-rack": {"count": 4, "productName": "Simulated L4", "architecture": "Ada Lovelace", "memory": "22Gi"},
        "nspawn-rack-large": {"count": 4, "productName": "Simulated H200", "architecture": "Hopper", "memory": "131Gi"},
    }
    pod = driver["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["args"] == [f"--driver={device_driver(lab_plan.cluster)}"]
    assert container["image"] == lab_plan.cluster.image("simulated-gpu-driver").reference
    assert pod["nodeSelector"] == {"gpuregion.dev/gpu": "true"}


def rights(plan: RegionPlan) -> dict[tuple[str, str], dict[str, Any]]:
    """The rights of the device driver's role, by kind and name."""
    found = documents(render(plan, CONTROL, "dra_driver/rights.yaml.j2"))
    return {(d["kind"], d["metadata"]["name"]): d for d in found}


def test_a_kubelet_reads_a_claim_at_once_and_changes_none(lab_plan: RegionPlan) -> None:
    found = rights(lab_plan)
    (rule,) = found["ClusterRole", "dra-driver-kubelet"]["rules"]
    assert (rule["resources"], rule["verbs"]) == (["resourceclaims"], ["get"])
    (subject,) = found["ClusterRoleBinding", "dra-driver-kubelet"]["subjects"]
    assert subject["name"] == "system:nodes"


def test_the_device_driver_may_change_claims_of_its_own_devices_only(lab_plan: RegionPlan) -> None:
    rules = rights(lab_plan)["ClusterRole", "dra-driver"]["rules"]
    (drivers,) = [rule for rule in rules if rule["resources"] == ["resourceclaims/driver"]]
    assert drivers["resourceNames"] == [device_driver(lab_plan.cluster)]
    assert not [rule for rule in rules if "*" in rule["verbs"] or "*" in rule["resources"]]


def test_only_packages_of_the_driver_are_pinned(lab_plan: RegionPlan) -> None:
    lines = render(lab_plan, "lab-r01-t02", "nvidia_driver/preferences.j2").splitlines()
    assert "Package: *nvidia* libcuda1" in lines
    assert f"Pin: version {lab_plan.cluster.nvidia_driver}-*" in lines
