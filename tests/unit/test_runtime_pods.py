"""What each field of a service becomes in its pods, its ports and its disks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from components.plan.fleet import GpuPlan
from components.plan.rollout import Track
from components.plan.serving import INTERCEPTOR_HTTP2_PORT
from components.plan.tenants import ScalingPlan
from components.runtime.objects_pods import (
    claim_template_spec,
    pod_template,
    strategy,
    version_of,
    volume_claim_name,
    volume_claim_spec,
)
from components.runtime.objects_routes import (
    WAKE_ONLY,
    interceptor_route_spec,
    route_spec,
    service_spec,
    wake_timeout_s,
)
from components.spec.rollout import Rollout, Strategy
from components.spec.service import Health, Kind, Protocol, ServicePort, Volume
from tests.a_service import chat

SERVICE = chat()


def pod(**changes: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", pod_template(replace(SERVICE, **changes), {"a": "b"}))["spec"]


def container(**changes: Any) -> dict[str, Any]:
    (only,) = pod(**changes)["containers"]
    return only


def variables(told: list[dict[str, Any]]) -> dict[str, Any]:
    return {variable["name"]: variable.get("value", variable.get("value_from")) for variable in told}


def test_a_replica_asks_for_what_is_described_and_may_use_eight_times_the_memory() -> None:
    asked = container(cpu=0.25, memory_mib=100)["resources"]
    assert asked["requests"] == {"cpu": "250m", "memory": "100Mi"}
    assert asked["limits"] == {"memory": "800Mi"}, "a limit of memory, and none of cores: idle cores are for all"


@pytest.mark.parametrize(("cpu", "told"), [(0.1, "100m"), (1, "1"), (2.5, "2500m"), (64, "64")])
def test_cores_are_told_as_the_api_would_tell_them_back(cpu: float, told: str) -> None:
    assert container(cpu=cpu)["resources"]["requests"]["cpu"] == told


def test_arguments_reach_the_container_and_none_leave_the_images_own() -> None:
    assert container(args=("--port", "8080"))["args"] == ["--port", "8080"]
    assert "args" not in container()


def test_variables_of_the_description_win_over_those_that_are_told() -> None:
    told = variables(container(env=(("LOG", "debug"), ("POD_NAME", "mine")))["env"])
    assert told["LOG"] == "debug"
    assert told["POD_NAME"] == "mine"
    assert told["PORT"] == "8080"
    assert [v["name"] for v in container(env=(("POD_NAME", "mine"),))["env"]].count("POD_NAME") == 1


def test_a_secret_reaches_the_container_by_reference_never_by_value() -> None:
    plan = replace(SERVICE, secrets=(("TOKEN", "file:.lab/secrets/token"),))
    template = cast("dict[str, Any]", pod_template(plan, {}, secret="chat-1a2b"))
    told = variables(template["spec"]["containers"][0]["env"])
    assert told["TOKEN"] == {"secret_key_ref": {"name": "chat-1a2b", "key": "TOKEN"}}
    assert ".lab/secrets" not in str(template), "where it comes from is nobody's business in the cluster"


def test_a_service_without_a_health_check_has_no_probe_that_a_cold_start_could_wait_for() -> None:
    assert not [key for key in container() if key.endswith("_probe")]


def test_a_health_check_of_the_port_ends_what_hangs_but_delays_no_start() -> None:
    told = container(health=Health(grace_s=7, interval_s=30, timeout_s=2, restart_limit=4))
    assert told["liveness_probe"] == {
        "tcp_socket": {"port": 8080},
        "initial_delay_seconds": 7,
        "period_seconds": 30,
        "timeout_seconds": 2,
        "failure_threshold": 4,
    }
    assert "readiness_probe" not in told


def test_a_health_check_of_a_path_also_keeps_requests_away_until_it_answers() -> None:
    told = container(health=Health(path="/healthz"))
    assert told["liveness_probe"]["http_get"] == {"path": "/healthz", "port": 8080}
    assert told["readiness_probe"]["http_get"] == {"path": "/healthz", "port": 8080}
    assert told["readiness_probe"]["period_seconds"] == 1, "a cold start waits for one look at most"


def test_a_health_check_by_grpc_asks_the_program_as_a_path_does() -> None:
    told = container(ports=(ServicePort(port=9000, protocol=Protocol.HTTP2),), health=Health(grpc=True))
    assert told["liveness_probe"]["grpc"] == told["readiness_probe"]["grpc"] == {"port": 9000}
    assert not {"http_get", "tcp_socket"} & (told["liveness_probe"].keys() | told["readiness_probe"].keys())


def test_a_request_waits_for_as_long_as_a_start_may_take() -> None:
    assert wake_timeout_s(SERVICE) == 120
    slow = replace(SERVICE, health=Health(path="/health", grace_s=600))
    assert interceptor_route_spec(slow)["timeouts"] == {"readiness": "600s"}


def test_a_disk_is_claimed_by_name_and_mounted_where_the_description_says() -> None:
    plan = replace(SERVICE, volumes=(Volume(name="data", path="/data", size_gib=5),))
    told = cast("dict[str, Any]", pod_template(plan, {}))["spec"]
    assert told["volumes"] == [{"name": "data", "persistent_volume_claim": {"claim_name": "chat-data"}}]
    assert told["containers"][0]["volume_mounts"] == [{"name": "data", "mount_path": "/data"}]
    assert told["security_context"]["fs_group"] == told["security_context"]["run_as_user"], "it may write there"
    claim = cast("dict[str, Any]", volume_claim_spec(5))
    assert (claim["storage_class_name"], claim["access_modes"]) == ("local-disk", ["ReadWriteOnce"])
    assert claim["resources"]["requests"]["storage"] == "5Gi"
    assert volume_claim_name(plan, "data") == "chat-data"


def test_a_service_without_disks_has_no_volume_to_wait_for() -> None:
    assert not {"volumes", "fs_group"} & (pod().keys() | pod()["security_context"].keys())


def test_a_rolling_version_never_takes_away_a_replica_before_a_new_one_runs() -> None:
    assert strategy(SERVICE) == {
        "type": "RollingUpdate",
        "rolling_update": {"max_unavailable": 0, "max_surge": 1},
    }


def test_an_immediate_version_ends_the_old_one_first() -> None:
    assert strategy(replace(SERVICE, rollout=Rollout(strategy=Strategy.IMMEDIATE))) == {"type": "Recreate"}


def test_gpus_are_those_of_the_pools_that_the_plan_found_cheapest_first() -> None:
    gpu = GpuPlan(pools=("l4", "h200"), selectors=("is l4", "is h200"), why="")
    (request,) = cast("Any", claim_template_spec(replace(SERVICE, gpus=2, gpu=gpu), "gpu"))["spec"]["devices"][
        "requests"
    ]
    assert [each["name"] for each in request["first_available"]] == ["l4", "h200"]
    assert {each["count"] for each in request["first_available"]} == {2}


def test_replicas_that_share_an_nvlink_domain_are_placed_in_one_rack() -> None:
    (term,) = pod(nvlink_domain=True)["affinity"]["pod_affinity"]["required_during_scheduling_ignored_during_execution"]
    assert term["topology_key"] == "gpuregion.dev/rack"
    assert term["label_selector"] == {"match_labels": {"gpuregion.dev/service": "chat"}}
    assert "affinity" not in pod()


def test_every_port_is_a_port_of_the_service_and_http2_says_so() -> None:
    ports = (
        ServicePort(port=8080, protocol=Protocol.HTTP2),
        ServicePort(port=9090, protocol=Protocol.HTTP),
        ServicePort(port=5432, protocol=Protocol.TCP),
    )
    told = cast("Any", service_spec(replace(SERVICE, ports=ports), {"app": "chat"}))["ports"]
    assert [(p["name"], p["port"], p.get("app_protocol")) for p in told] == [
        ("http", 8080, "kubernetes.io/h2c"),
        ("http-9090", 9090, None),
        ("tcp-5432", 5432, None),
    ]
    assert [p["name"] for p in container(ports=ports)["ports"]] == [p["target_port"] for p in told]


def test_only_the_first_port_is_behind_the_gateway() -> None:
    ports = (ServicePort(port=8000), ServicePort(port=5432, protocol=Protocol.TCP))
    assert interceptor_route_spec(replace(SERVICE, ports=ports))["target"] == {"service": "chat", "port": 8000}


def test_requests_in_flight_keep_it_awake_whatever_it_is_scaled_by() -> None:
    metric = interceptor_route_spec(replace(SERVICE, scaling=ScalingPlan(requests_per_second=5, window_s=30)))
    assert metric["scalingMetric"] == {
        "concurrency": {"targetValue": WAKE_ONLY},
        "requestRate": {"targetValue": 5, "window": "30s", "granularity": "1s"},
    }


def test_a_service_with_one_version_has_one_way_without_a_weight() -> None:
    (backend,) = route_spec(SERVICE, "demo", "gateway")["rules"][0]["backendRefs"]
    assert backend == {"name": "keda-add-ons-http-interceptor-proxy", "namespace": "keda", "port": 8080}
    assert interceptor_route_spec(SERVICE)["rules"] == [{"hosts": ["chat.demo.lab.internal"]}]


def test_what_speaks_http2_is_sent_http2_by_the_gateway_each_of_its_versions() -> None:
    http2 = replace(SERVICE, ports=(ServicePort(protocol=Protocol.HTTP2), ServicePort(port=9090)))
    (one,) = route_spec(http2, "demo", "gateway")["rules"][0]["backendRefs"]
    two = route_spec(http2, "demo", "gateway", {Track.A: 1, Track.B: 0})["rules"][0]["backendRefs"]
    assert [each["port"] for each in (one, *two)] == [INTERCEPTOR_HTTP2_PORT] * 3
    only_second = replace(SERVICE, ports=(ServicePort(), ServicePort(port=9090, protocol=Protocol.HTTP2)))
    assert route_spec(only_second, "demo", "gateway") == route_spec(SERVICE, "demo", "gateway")


def test_the_version_changes_with_the_pods_and_with_nothing_else() -> None:
    assert version_of(SERVICE) == version_of(replace(SERVICE, max_replicas=9, idle_after_s=1))
    changed = [
        replace(SERVICE, image=SERVICE.image.replace("0", "1")),
        replace(SERVICE, env=(("A", "b"),)),
        replace(SERVICE, gpus=1),
        replace(SERVICE, secrets=(("TOKEN", "env:TOKEN"),)),
    ]
    assert len({version_of(plan) for plan in (SERVICE, *changed)}) == 5


def test_a_job_has_neither_ports_nor_probes() -> None:
    told = container(kind=Kind.JOB, health=Health(path="/healthz"))
    assert not {"ports", "liveness_probe", "readiness_probe"} & told.keys()
    assert "PORT" not in variables(told["env"])
