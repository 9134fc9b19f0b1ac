"""From `model: NAME` in a tenant's file to the pod that serves it."""

from __future__ import annotations

from typing import Any, cast

import pytest

from components.runtime.objects_pods import pod_template
from components.runtime.objects_routes import interceptor_route_spec
from tests.a_service import chat
from tests.unit.test_gpu_fleet_rules import service_of

ECHO = "model: lab-echo\nscaling: {max: 2}"


def pod(service: str, region: str) -> dict[str, Any]:
    return cast("dict[str, Any]", pod_template(service_of(service, region), {}))


def test_the_model_of_the_lab_becomes_a_pod_that_is_asked_on_its_port_and_looked_at_on_its_path() -> None:
    (container,) = pod(ECHO, "lab")["spec"]["containers"]
    assert container["image"].partition("@")[0].endswith("model-engine")
    assert container["args"] == [
        *("--model", "lab-echo", "--port", "8000"),
        *("--load-seconds", "0.78", "--concurrency", "4"),
    ]
    assert [(port["name"], port["container_port"]) for port in container["ports"]] == [("http", 8000)]
    assert container["readiness_probe"]["http_get"] == {"path": "/health", "port": 8000}
    assert container["liveness_probe"]["initial_delay_seconds"] == 2, "twice the time to load, whole seconds"
    assert "claims" not in container["resources"]


def test_a_replica_is_added_for_what_the_engine_does_not_take_at_one_time() -> None:
    route = interceptor_route_spec(service_of(ECHO, "lab"))
    assert route["target"]["port"] == 8000
    assert route["scalingMetric"] == {"concurrency": {"targetValue": 4}}


@pytest.mark.parametrize(
    ("service", "region", "port"),
    [(ECHO, "lab", "8000"), ("model: mistral-small\nports: [{port: 9000}]", "paris", "9000")],
)
def test_the_engine_of_a_model_is_scraped_so_that_its_tokens_are_metered(service: str, region: str, port: str) -> None:
    annotations = pod(service, region)["metadata"]["annotations"]
    assert annotations == {"prometheus.io/scrape": "true", "prometheus.io/port": port}


def test_an_image_of_a_tenants_own_is_not_scraped() -> None:
    assert "annotations" not in cast("dict[str, Any]", pod_template(chat(), {}))["metadata"]
