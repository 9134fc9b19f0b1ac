"""Services in a plan: where they land, what their models become, and what is refused before anything is touched."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from io import StringIO

import pytest
from ruamel.yaml import YAML

from components.errors import Problem, SpecError
from components.plan.compile import compile_region
from components.plan.fleet import claim_spec
from components.plan.model import RegionPlan
from components.plan.pending import NO_DIGEST, pending_index
from components.plan.tenants import ServicePlan
from components.spec import load
from components.spec.artifacts import PublishedWeights
from components.spec.region import Region
from components.spec.tenant import Tenant
from tests.regions import REGIONS


@cache
def region(name: str) -> Region:
    return load(REGIONS / name, REGIONS / "_catalogue")


def with_service(name: str, service: str) -> Region:
    """The region with one tenant that has one service."""
    said = YAML(typ="safe").load(StringIO(f"name: one\n{service}\n"))
    data = {"tenant": "edge", "quota": {"pods": 200, "gpus": 36}, "services": [said]}
    return region(name).model_copy(update={"tenants": (Tenant.model_validate(data, strict=False),)})


def compiled(name: str, service: str) -> RegionPlan:
    """It, before anything is published."""
    found = with_service(name, service)
    return compile_region(found, pending_index(found))


def service_of(service: str, name: str = "paris") -> ServicePlan:
    (found,) = compiled(name, service).runtime.services
    return found


def test_a_service_lands_on_the_cheapest_gpu_that_has_its_memory() -> None:
    found = service_of("image: vllm\ngpu: {memory_gb: 80}\nscaling: {max: 2}")
    assert found.gpu_pools == ("dgx-h200", "dgx-b200")
    assert found.gpu is not None
    assert found.gpu.why.startswith("lands on dgx-h200: 1 GPU NVIDIA H200 a replica, €3.20 an hour")


def test_its_claim_takes_the_first_gpu_of_these_that_is_free() -> None:
    found = service_of("image: vllm\ngpu: {count: 2, memory_gb: 80}\nscaling: {max: 2}")
    assert found.gpu is not None
    (request,) = claim_spec(found.gpu, found.gpus, "gpu")["devices"]["requests"]
    assert [each["name"] for each in request["first_available"]] == ["dgx-h200", "dgx-b200"]
    assert "productName == 'NVIDIA H200'" in request["first_available"][0]["selectors"][0]["cel"]["expression"]
    assert {each["count"] for each in request["first_available"]} == {2}


def test_a_model_is_enough_to_describe_a_service() -> None:
    found = service_of("model: mistral-small\nscaling: {max: 4}")
    assert found.image.startswith("vllm@sha256:")
    assert (found.gpus, found.gpu_pools) == (1, ("dgx-h200", "dgx-b200"))
    assert found.port == 8000
    assert found.health is not None
    assert (found.health.path, found.health.grace_s) == ("/health", 78)
    assert found.scaling.concurrency == 8
    assert found.args[found.args.index("--max-model-len") + 1] == "32768"
    assert found.gpu is not None
    assert "weights 44.7 + cache 40.0 (32,768 tokens x 8 requests) + overhead 4.0 = 88.7 GiB a GPU" in found.gpu.why


def refused(index: Mapping[str, PublishedWeights], *, cache_gib: int = 1000) -> Problem:
    """What is said of a service of mistral-small where these weights are published."""
    found = with_service("paris", "model: mistral-small")
    found = found.model_copy(update={"runtime": found.runtime.model_copy(update={"weights_cache_gib": cache_gib})})
    with pytest.raises(SpecError) as caught:
        compile_region(found, pending_index(found).model_copy(update={"weights": index}))
    (problem,) = caught.value.problems
    return problem


def test_a_model_whose_weights_are_not_in_the_index_is_refused_with_what_publishes_them() -> None:
    problem = refused({})
    assert problem.rule == "weights-unpublished"
    assert problem.found == "mistralai/Mistral-Small-3.2-24B-Instruct-2506"
    assert "`weights publish`" in str(problem.remedy)


def test_weights_that_no_cache_of_a_rack_would_hold_are_refused() -> None:
    size = PublishedWeights(manifest=f"sha256:{'1' * 64}", bytes=48 * 2**30)
    problem = refused({"mistralai/Mistral-Small-3.2-24B-Instruct-2506": size}, cache_gib=40)
    assert (problem.rule, problem.found) == ("weights-beyond-cache", "48.0 GiB")


def test_before_anything_is_published_a_model_is_planned_with_weights_that_are_pending() -> None:
    found = service_of("model: mistral-small")
    assert found.model is not None
    assert found.model.weights is not None
    assert found.model.weights.manifest == f"sha256:{NO_DIGEST}"


def test_a_service_asks_its_model_for_another_context_concurrency_and_port() -> None:
    found = service_of(
        "model: mistral-small\ncontext_tokens: 4096\nports: [{port: 9000}]\nscaling: {max: 1, concurrency: 2}"
    )
    assert [found.args[found.args.index(f"--{name}") + 1] for name in ("max-model-len", "max-num-seqs", "port")] == [
        "4096",
        "2",
        "9000",
    ]
    assert found.port == 9000


def test_a_service_can_narrow_where_its_model_lands() -> None:
    found = service_of("model: mistral-small\ngpu: {architectures: [blackwell]}")
    assert found.gpu_pools == ("dgx-b200",)


def test_an_embedding_model_lands_on_the_l4_of_an_edge() -> None:
    assert service_of("model: bge-m3").gpu_pools[0] == "l4-edge-server"


def test_the_simulator_of_the_lab_takes_no_gpu_and_is_marked() -> None:
    found = service_of("model: lab-echo", "lab")
    assert (found.gpus, found.gpu) == (0, None)
    assert found.model is not None
    assert found.model.simulated


@pytest.mark.parametrize(
    ("service", "rule", "says"),
    [
        (
            "image: vllm\ngpu: {memory_gb: 200}",
            "gpu-fits-nowhere",
            "nearest is dgx-b200 (NVIDIA B200): memory of a GPU: asked 186 GiB, has 167 GiB",
        ),
        (
            "image: vllm\ngpu: {count: 8, architectures: [ada, blackwell], memory_gb: 181}",
            "gpu-fits-nowhere",
            "ask for memory of a GPU 167 GiB, or place it in another region",
        ),
        (
            "model: mistral-small\ncontext_tokens: 131072\nscaling: {concurrency: 200}",
            "model-fits-nowhere",
            "dgx-h200: bf16 on 8 GPUs: weights 5.6 + cache 500.0 (131,072 tokens x 200 requests)",
        ),
        (
            "model: mistral-small\nscaling: {min: 37, max: 40}",
            "model-beyond-quota",
            "37 x 1 = 37",
        ),
    ],
)
def test_what_lands_nowhere_is_refused_with_the_nearest_and_the_arithmetic(service: str, rule: str, says: str) -> None:
    with pytest.raises(SpecError) as caught:
        compiled("paris", service)
    (problem,) = caught.value.problems
    assert problem.rule == rule
    assert says in str(problem)
    assert problem.remedy


def test_a_model_that_fits_nowhere_is_refused_with_what_it_needs_and_each_change_that_lets_it_fit() -> None:
    with pytest.raises(SpecError) as caught:
        compiled("paris", "model: mistral-large-3\ncontext_tokens: 262144\nscaling: {concurrency: 5}")
    (problem,) = caught.value.problems
    assert "dgx-b200: fp8 on 8 GPUs" in str(problem.found)
    assert "it needs 16 GPUs (fp8, 129.1 GiB a GPU, €76.80 an hour): 2 hosts, whose GPUs no NVLink joins" in str(
        problem.found
    )
    change = str(problem.remedy).removesuffix(", or place it in a region with larger GPUs")
    assert change == (
        "set `context_tokens: 206948` (fp8 on 8 GPUs of dgx-b200)"
        " or `scaling.concurrency: 3` (fp8 on 8 GPUs of dgx-b200)"
    )
    for key in (
        "context_tokens: 206948\nscaling: {concurrency: 5}",
        "context_tokens: 262144\nscaling: {concurrency: 3}",
    ):
        assert service_of(f"model: mistral-large-3\n{key}").gpu_pools == ("dgx-b200",)
