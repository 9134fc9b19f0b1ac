"""From `model: NAME` in a tenant's file to the pod that serves it."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from components.plan.compile import compile_region
from components.plan.pending import pending_index
from components.runtime.objects_pods import pod_template, version_of
from components.runtime.objects_routes import interceptor_route_spec
from tests.a_service import chat
from tests.e2e import guides
from tests.regions import REGIONS, lab, load_lab, plan_of
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
        *("--weights", "/models/lab-echo"),
    ]
    assert [(port["name"], port["container_port"]) for port in container["ports"]] == [("http", 8000)]
    assert container["readiness_probe"]["http_get"] == {"path": "/health", "port": 8000}
    assert container["liveness_probe"]["initial_delay_seconds"] == 2, "twice the time to load, whole seconds"
    assert "claims" not in container["resources"]


def test_the_weights_are_fetched_by_digest_before_the_engine_which_reads_them_only() -> None:
    service = service_of(ECHO, "lab")
    assert service.model is not None
    assert service.model.weights is not None
    spec = pod(ECHO, "lab")["spec"]
    (fetcher,), (engine,) = spec["init_containers"], spec["containers"]
    assert fetcher["image"].partition("@")[0].endswith("weights")
    assert fetcher["args"] == [
        *("fetch", "--manifest", service.model.weights.manifest, "--into", "/models/lab-echo"),
        *("--node", "$(NODE_NAME)"),
        *("--cache", "http://rack-{rack}.weights-cache:8080"),
        *("--cache", "http://any.weights-cache:8080"),
    ]
    assert fetcher["volume_mounts"] == [{"name": "model-weights", "mount_path": "/models/lab-echo"}]
    assert fetcher["security_context"] == engine["security_context"], "under the same restrictions"
    (mount,) = engine["volume_mounts"]
    assert (mount["mount_path"], mount["read_only"]) == ("/models/lab-echo", True)
    assert {"name": "WEIGHTS_MANIFEST", "value": service.model.weights.manifest} in engine["env"]
    (volume,) = spec["volumes"]
    assert volume == {"name": "model-weights", "empty_dir": {"size_limit": "17Mi"}}


def test_a_service_without_a_model_fetches_nothing() -> None:
    assert "init_containers" not in cast("dict[str, Any]", pod_template(chat(), {}))["spec"]


def test_other_weights_are_another_version() -> None:
    service = service_of(ECHO, "lab")
    assert service.model is not None
    assert service.model.weights is not None
    weights = replace(service.model.weights, manifest=f"sha256:{'1' * 64}")
    assert version_of(replace(service, model=replace(service.model, weights=weights))) != version_of(service)


def test_hosts_are_called_after_their_rack_which_is_how_a_pod_finds_its_cache() -> None:
    # components/programs/weights, rackOf: the rack is the host's name without its tray
    hosts = plan_of(lab()).hosts
    assert all(re.sub(r"-t[0-9]+$", "", host.name) == host.rack for host in hosts)


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


def test_the_guide_on_the_first_model_declares_one_that_sleeps_until_it_is_asked(tmp_path: Path) -> None:
    for folder in ("lab", "_catalogue"):
        shutil.copytree(REGIONS / folder, tmp_path / "stacks/regions" / folder)
    (file,) = (s for s in guides.read(guides.guide_path("my-first-model").read_text()) if isinstance(s, guides.Written))
    guides.run_step(file, folder=tmp_path)
    region = load_lab(tmp_path)
    (found,) = (s for s in compile_region(region, pending_index(region)).runtime.services if s.tenant == "first-model")
    assert found.host == "echo.first-model.lab.internal"
    assert found.model is not None
    assert (found.model.model, found.min_replicas, found.max_replicas) == ("lab-echo", 0, 3)
