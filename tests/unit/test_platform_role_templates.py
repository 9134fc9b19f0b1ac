"""What the roles of queues, policies, metering and weights apply to a cluster, rendered with the lab's plan."""

from __future__ import annotations

from typing import Any, cast

import pytest
from ruamel.yaml import YAML

from components.plan import RegionPlan
from components.plan.models.weights import CACHES, PORT
from components.plan.serving import METRICS_ADDRESS, QUOTA_DEVICES, TENANT_LABEL
from components.runtime.objects_pods import SERVICE_LABEL
from tests.role_render import render

CONTROL = "lab-r01-t01"
Object = dict[str, Any]


def documents(text: str) -> list[Object]:
    return list(cast("Any", YAML(typ="safe")).load_all(text))


def one(text: str) -> Object:
    (document,) = documents(text)
    return document


def operations(plan: RegionPlan, kind: str) -> list[Object]:
    """What the kustomization of Kueue changes in objects of one kind."""
    kustomization = one(render(plan, CONTROL, "kueue/kustomization.yaml.j2"))
    chosen = [p["patch"] for p in kustomization["patches"] if p["target"]["kind"] == kind]
    loaded: list[Any] = [cast("Any", YAML(typ="safe")).load(patch) for patch in chosen]
    return [op for patch in loaded for op in (cast("list[Object]", patch) if isinstance(patch, list) else [patch])]


def kueue_configuration(plan: RegionPlan) -> Object:
    (change,) = operations(plan, "ConfigMap")
    assert change["path"] == "/data/controller_manager_config.yaml"
    return one(change["value"])


def job(plan: RegionPlan, name: str) -> Object:
    """One source of the metering."""
    jobs = one(render(plan, CONTROL, "metrics/scrape.yaml.j2"))["scrape_configs"]
    (found,) = [j for j in jobs if j["job_name"] == name]
    return found


def test_kueue_counts_claims_of_the_class_that_services_claim(lab_plan: RegionPlan) -> None:
    mappings = kueue_configuration(lab_plan)["resources"]["deviceClassMappings"]
    assert mappings == [{"name": QUOTA_DEVICES, "deviceClassNames": [lab_plan.cluster.device_class]}]
    arguments = [op["value"] for op in operations(lab_plan, "Deployment") if op["path"].endswith("/args/-")]
    assert "DynamicResourceAllocation=true" in arguments[0]


def test_a_new_configuration_of_kueue_makes_a_new_pod(lab_plan: RegionPlan) -> None:
    def mark(**variables: Any) -> str:
        text = one(render(lab_plan, CONTROL, "kueue/kustomization.yaml.j2", **variables))["patches"][1]["patch"]
        (op,) = [op for op in cast("Any", YAML(typ="safe")).load(text) if "configuration" in op["path"]]
        return str(op["value"])

    assert mark() == mark()
    assert mark() != mark(kueue_device_classes={"other": ["class"]})


def test_objects_that_name_no_queue_start_while_kueue_is_down(lab_plan: RegionPlan) -> None:
    asked = {
        hook["name"]: hook["objectSelector"]
        for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
        for patch in operations(lab_plan, kind)
        for hook in patch["webhooks"]
    }
    assert set(asked) == {f"{k}{of}.kb.io" for k in "mv" for of in ("pod", "job", "deployment", "statefulset")}
    queued = {"matchExpressions": [{"key": "kueue.x-k8s.io/queue-name", "operator": "Exists"}]}
    assert all(selector == queued for selector in asked.values())


def test_tenants_share_fairly_and_what_names_no_queue_is_let_alone(lab_plan: RegionPlan) -> None:
    configuration = kueue_configuration(lab_plan)
    assert configuration["manageJobsWithoutQueueName"] is False
    assert configuration["fairSharing"]["preemptionStrategies"]


def test_a_gang_that_does_not_start_whole_gives_back_what_it_holds(lab_plan: RegionPlan) -> None:
    waiting = kueue_configuration(lab_plan)["waitForPodsReady"]
    assert waiting["timeout"] == "30m"
    assert waiting["requeuingStrategy"]["timestamp"] == "Eviction", "others are tried before it is tried again"
    assert "blockAdmission" not in waiting, "a job that waits for its pods holds up no other"


def test_an_enforcer_runs_on_every_node_and_is_a_firewall_only(lab_plan: RegionPlan) -> None:
    pod = one(render(lab_plan, CONTROL, "network_policies/enforcer.yaml.j2"))["spec"]["template"]["spec"]
    assert pod["hostNetwork"] is True
    assert pod["tolerations"] == [{"operator": "Exists"}]
    assert "nodeSelector" not in pod
    (container,) = pod["containers"]
    assert container["image"] == lab_plan.cluster.image("kube-router").reference
    switches = dict(argument.removeprefix("--").split("=", 1) for argument in container["args"])
    on = {name for name, value in switches.items() if name.startswith(("run-", "enable-")) and value == "true"}
    assert on == {"run-firewall"}
    assert switches["service-cluster-ip-range"] == lab_plan.cluster.service_network


def test_the_enforcer_may_read_and_change_nothing_in_the_cluster(lab_plan: RegionPlan) -> None:
    objects = {d["kind"]: d for d in documents(render(lab_plan, CONTROL, "network_policies/rights.yaml.j2"))}
    assert {verb for rule in objects["ClusterRole"]["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}


def test_what_was_measured_outlives_its_pod_and_has_one_writer(lab_plan: RegionPlan) -> None:
    objects = {d["kind"]: d for d in documents(render(lab_plan, CONTROL, "metrics/store.yaml.j2"))}
    spec = objects["Deployment"]["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    pod = spec["template"]["spec"]
    assert pod["nodeSelector"] == {"kubernetes.io/hostname": CONTROL}
    assert {"name": "storage", "hostPath": {"path": "/var/lib/metrics", "type": "DirectoryOrCreate"}} in pod["volumes"]
    (container,) = pod["containers"]
    assert "-storageDataPath=/storage" in container["args"]
    assert {"name": "storage", "mountPath": "/storage"} in container["volumeMounts"]
    service = objects["Service"]
    assert f"http://{service['metadata']['name']}.metrics:{service['spec']['ports'][0]['port']}" == METRICS_ADDRESS


def test_only_keda_and_the_api_server_may_ask_for_the_figures_of_tenants(lab_plan: RegionPlan) -> None:
    (policy,) = [
        d for d in documents(render(lab_plan, CONTROL, "metrics/store.yaml.j2")) if d["kind"] == "NetworkPolicy"
    ]
    assert policy["spec"]["podSelector"] == {}
    (rule,) = policy["spec"]["ingress"]
    host = next(host for host in lab_plan.deployed_hosts if host.name == CONTROL)
    assert rule["from"] == [
        {"podSelector": {}},
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "keda"}}},
        {"ipBlock": {"cidr": f"{host.loopback}/32"}},
    ]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("kubelet", "namespace"),
        ("containers", "namespace"),
        ("state", "namespace"),
        ("claims", "namespace"),
        ("interceptor", "route_namespace"),
        ("proxy", "namespace"),
    ],
)
def test_a_series_of_a_tenant_is_told_by_its_namespace(lab_plan: RegionPlan, name: str, label: str) -> None:
    rule = {"source_labels": [label], "regex": "tenant-(.+)", "target_label": "tenant"}
    assert job(lab_plan, name)["metric_relabel_configs"][-1] == rule


def test_the_pods_of_a_service_are_told_by_its_label(lab_plan: RegionPlan) -> None:
    pod = one(render(lab_plan, CONTROL, "metrics/state.yaml.j2"))["spec"]["template"]["spec"]
    arguments = dict(argument.removeprefix("--").split("=", 1) for argument in pod["containers"][0]["args"])
    # Names, or one star for all: kube-state-metrics knows no other pattern.
    assert f"pods=[{SERVICE_LABEL}]" in arguments["metric-labels-allowlist"].split(",")


def test_a_pod_cannot_say_whose_it_is(lab_plan: RegionPlan) -> None:
    own = job(lab_plan, "pods")
    assert not own.get("honor_labels"), "labels of the target win"
    targets = {rule.get("target_label") for rule in own["relabel_configs"]}
    assert targets >= {"tenant", "namespace", "pod", "node"}
    keeps = [rule for rule in own["relabel_configs"] if rule.get("action") == "keep"]
    assert {"source_labels": ["__meta_kubernetes_namespace"], "regex": "tenant-.+", "action": "keep"} in keeps


def test_containers_are_looked_at_less_often_than_requests(lab_plan: RegionPlan) -> None:
    text = one(render(lab_plan, CONTROL, "metrics/scrape.yaml.j2"))
    assert text["global"]["scrape_interval"] == "5s"
    assert {job(lab_plan, name)["scrape_interval"] for name in ("kubelet", "containers")} == {"15s"}


def test_images_of_the_platform_come_by_digest(lab_plan: RegionPlan) -> None:
    for template in ("metrics/store.yaml.j2", "metrics/state.yaml.j2", "network_policies/enforcer.yaml.j2"):
        pods = [
            d["spec"]["template"]["spec"]
            for d in documents(render(lab_plan, CONTROL, template))
            if d["kind"] in ("Deployment", "DaemonSet")
        ]
        images = [container["image"] for pod in pods for container in pod["containers"]]
        assert images
        assert all("@sha256:" in image for image in images)


def caches(plan: RegionPlan) -> dict[tuple[str, str], dict[str, Any]]:
    found = documents(render(plan, CONTROL, "weights_cache/caches.yaml.j2"))
    return {(each["kind"], each["metadata"]["name"]): each for each in found}


def test_each_rack_has_one_cache_behind_a_name_of_its_own_and_all_of_them_behind_another(lab_plan: RegionPlan) -> None:
    found = caches(lab_plan)
    assert set(found) == {("Service", "any"), ("Service", "rack-lab-r01"), ("Deployment", "rack-lab-r01")}
    pod = found["Deployment", "rack-lab-r01"]["spec"]["template"]
    assert found["Service", "rack-lab-r01"]["spec"]["selector"] == pod["metadata"]["labels"]
    assert found["Service", "any"]["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    assert CACHES == ("http://rack-{rack}.weights-cache:8080", "http://any.weights-cache:8080"), "as pods ask for them"
    assert pod["spec"]["nodeSelector"] == {"gpuregion.dev/rack": "lab-r01"}
    (preferred,) = pod["spec"]["affinity"]["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert preferred["preference"]["matchExpressions"][0]["values"] == ["lab-r01-t02"], "where its files are"


def test_a_cache_keeps_within_its_size_and_reads_the_regions_bucket(lab_plan: RegionPlan) -> None:
    (container,) = caches(lab_plan)["Deployment", "rack-lab-r01"]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == lab_plan.cluster.image("weights").reference
    assert f"--limit-mib={lab_plan.runtime.weights_cache_gib * 1024}" in container["args"]
    assert f"--endpoint={lab_plan.endpoints.s3}" in container["args"]
    assert "--bucket=weights" in container["args"]


def test_a_cache_is_reached_by_tenants_and_reaches_names_and_the_object_store(lab_plan: RegionPlan) -> None:
    (policy,) = documents(render(lab_plan, CONTROL, "weights_cache/policies.yaml.j2"))
    (reader,) = policy["spec"]["ingress"]
    (peer,) = reader["from"]
    assert peer["namespaceSelector"]["matchExpressions"] == [{"key": TENANT_LABEL, "operator": "Exists"}]
    assert reader["ports"] == [{"port": PORT, "protocol": "TCP"}]
    names, store = policy["spec"]["egress"]
    assert {port["port"] for port in names["ports"]} == {53}
    assert store == {"to": [{"ipBlock": {"cidr": "172.30.0.1/32"}}], "ports": [{"port": 7070, "protocol": "TCP"}]}
