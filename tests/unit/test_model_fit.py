"""Whether models fit: the arithmetic against what their makers and the engine's guide say, and by hand."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.plan.fleet import Fleet, Pool, fits, resolve
from components.plan.models import (
    Served,
    best,
    cache_bytes_per_token,
    no_fit,
    serve,
    shape,
    smallest,
)
from components.spec.catalogue import Catalogue, ModelProfile, load_catalogue
from tests.regions import REGIONS, ROOT


@cache
def catalogue() -> Catalogue:
    return load_catalogue(REGIONS / "_catalogue", root=ROOT)


def model(name: str) -> ModelProfile:
    found = catalogue().model(name)
    assert found is not None, f"the catalogue has no model {name}"
    return found


def pool(profile: str, *, gpus: int = 64, eur: float | None = 1.0) -> Pool:
    rack = catalogue().rack(profile)
    assert rack is not None
    return Pool(
        name=profile,
        gpu_model=rack.tray.gpu_model,
        architecture=rack.tray.gpu_architecture or "simulated",
        memory_gib=rack.tray.gpu_memory_gib or 0,
        gpus_per_host=rack.tray.gpus,
        domain=64 if rack.nvlink else rack.tray.nvlink_gpus or 1,
        gpus=gpus,
        eur_hour=eur,
    )


def counts(name: str, profile: str, context: int, concurrency: int) -> dict[str, int]:
    return {each.precision: each.gpus for each in smallest(model(name), pool(profile), context, concurrency)}


def test_the_catalogue_has_a_large_a_small_a_vision_an_embedding_model_and_a_simulator() -> None:
    kinds = {m.model: m.kind for m in catalogue().models}
    assert kinds["mistral-large-3"] == "vision"
    assert {"mistral-small", "pixtral-12b"} <= kinds.keys()
    assert kinds["bge-m3"] == "embedding"
    assert [m.model for m in catalogue().models if m.simulated] == ["lab-echo"]


def test_a_token_of_grouped_attention_takes_two_numbers_for_each_head_and_layer() -> None:
    assert cache_bytes_per_token(model("mistral-small")) == 2 * 40 * 8 * 128 * 2
    assert cache_bytes_per_token(model("mistral-small"), 4) == 2 * 40 * 2 * 128 * 2


def test_heads_are_copied_once_there_are_fewer_of_them_than_gpus() -> None:
    assert cache_bytes_per_token(model("mistral-small"), 16) == cache_bytes_per_token(model("mistral-small"), 8)


def test_a_latent_is_kept_whole_on_every_gpu() -> None:
    large = model("mistral-large-3")
    assert cache_bytes_per_token(large) == 61 * (512 + 64) * 2
    assert cache_bytes_per_token(large, 8) == cache_bytes_per_token(large)


def test_an_embedding_model_keeps_nothing() -> None:
    assert cache_bytes_per_token(model("bge-m3")) == 0


def test_the_full_context_of_mistral_small_takes_what_others_publish() -> None:
    # llmrun.dev: 48.02 GB of weights, and 26.4 GB more at 131,072 tokens with its own overhead
    small = model("mistral-small")
    one = shape(small, small.precisions[0], 1, 131_072, 1)
    assert one.weights_gib * 2**30 / 1e9 == pytest.approx(48.02)
    assert 20 <= one.cache_gib * 2**30 / 1e9 <= 26.4


def test_mistral_large_in_fp8_needs_the_eight_gpus_of_an_h200_server_as_its_maker_says() -> None:
    assert counts("mistral-large-3", "dgx-h200", 262_144, 1) == {"fp8": 8}
    assert counts("mistral-large-3", "dgx-h200", 32_768, 16)["fp8"] == 8


def test_mistral_large_in_nvfp4_fits_on_four_b200_as_the_engines_guide_says() -> None:
    assert counts("mistral-large-3", "dgx-b200", 65_536, 1)["nvfp4"] == 4


def test_a_form_is_not_taken_beyond_the_context_that_its_guide_advises() -> None:
    assert "nvfp4" not in counts("mistral-large-3", "dgx-b200", 65_537, 1)


def test_mistral_small_fits_on_one_h200_and_not_on_an_l4() -> None:
    assert counts("mistral-small", "dgx-h200", 32_768, 8) == {"bf16": 1}
    assert counts("mistral-small", "l4-edge-server", 1024, 1) == {}


def test_an_embedding_model_fits_on_an_l4_at_an_edge() -> None:
    assert counts("bge-m3", "l4-edge-server", 8192, 32) == {"fp32": 1}


def test_a_model_is_never_divided_over_gpus_that_no_nvlink_joins() -> None:
    assert counts("pixtral-12b", "l4-edge-server", 4096, 1) == {}  # two would hold it, over PCI Express


def test_a_refusal_carries_the_arithmetic_of_every_pool() -> None:
    found = no_fit(model("mistral-large-3"), Fleet((pool("l4-edge-server"), pool("gb200-nvl72"))), 262_144, 64)
    text = "\n".join(found.reasons)
    assert "l4-edge-server: ada, and the model is offered for blackwell, blackwell-ultra, hopper" in text
    assert "gb200-nvl72: fp8 on 4 GPUs: weights 157.2 + cache 1098.0 (262,144 tokens x 64 requests)" in text
    assert "has 185 GiB" in text


def test_a_context_that_the_model_has_not_is_refused_as_such() -> None:
    found = no_fit(model("bge-m3"), Fleet((pool("dgx-h200"),)), 10_000, 1)
    assert found.reasons == ("10,000 tokens of context, the model has 8,192",)
    assert [str(each) for each in found.instead] == ["`context_tokens: 8192` (fp32 on 1 GPU of dgx-h200)"]


def test_the_cheapest_replica_wins_and_equal_ones_take_the_better_precision() -> None:
    large, b200, gb200 = model("mistral-large-3"), pool("dgx-b200", eur=4.8), pool("gb200-nvl72", eur=6.0)
    found = best(large, Fleet((gb200, b200)), 32_768, 16)
    assert found is not None
    assert (found.precision, found.gpus) == ("nvfp4", 4)
    same = best(large, Fleet((pool("gb200-nvl72", eur=6.0),)), 8192, 1)
    assert same is not None
    assert (same.precision, same.gpus) == ("fp8", 4)


def test_a_model_becomes_an_engine_with_its_arguments() -> None:
    served = serve(model("mistral-small"), Fleet((pool("dgx-h200"),)), catalogue(), concurrency=4)
    assert isinstance(served, Served)
    plan = served.plan
    assert (plan.image, plan.port, plan.health, plan.gpus) == ("vllm", 8000, "/health", 1)
    assert plan.args[plan.args.index("--tensor-parallel-size") + 1] == "1"
    assert plan.args[plan.args.index("--max-model-len") + 1] == "32768"
    assert plan.args[plan.args.index("--max-num-seqs") + 1] == "4"
    assert plan.args[-2:] == ("--load_format", "mistral")
    assert plan.load_s == pytest.approx(30 + 44.7 / 5, abs=0.1)
    assert "lands on dgx-h200" in served.why
    assert "GiB a GPU" in served.why


def test_the_simulator_runs_on_cpus_takes_a_part_of_the_time_and_says_what_it_is() -> None:
    served = serve(model("lab-echo"), Fleet(()), catalogue())
    assert isinstance(served, Served)
    plan = served.plan
    assert (plan.gpus, served.placement, plan.simulated) == (0, None, True)
    real = serve(model("mistral-small"), Fleet((pool("dgx-h200"),)), catalogue())
    assert isinstance(real, Served)
    assert plan.load_s == pytest.approx(real.plan.load_s * 0.02, abs=0.02)
    assert "simulator" in served.why


calm = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""How fast the machine is just now is not what is tested."""

_CONTEXTS = st.integers(min_value=1, max_value=131_072)
_REQUESTS = st.integers(min_value=1, max_value=512)
_MODELS = st.sampled_from(["mistral-large-3", "mistral-small", "pixtral-12b"])
_POOLS = st.sampled_from(["gb200-nvl72", "gb300-nvl72", "dgx-h200", "dgx-b200", "l4-edge-server", "vera-rubin-nvl72"])


@calm
@given(_MODELS, _POOLS, _CONTEXTS, _REQUESTS)
def test_what_is_said_to_fit_fits_and_one_step_fewer_does_not(name: str, at: str, context: int, requests: int) -> None:
    profile, where = model(name), pool(at)
    for found in smallest(profile, where, context, requests):
        assert found.sum_gib <= where.memory_gib * 0.9
        assert found.gpus <= min(where.gpus_per_host, where.domain)
        fewer = [count for count in profile.gpu_counts if count < found.gpus]
        precision = next(p for p in profile.precisions if p.name == found.precision)
        if fewer:
            assert not fits(where, shape(profile, precision, max(fewer), context, requests).need)


@calm
@given(_MODELS, st.lists(_POOLS, unique=True), _CONTEXTS, _REQUESTS)
def test_a_chosen_shape_has_a_pool_and_a_refusal_has_none(
    name: str, names: list[str], context: int, requests: int
) -> None:
    fleet = Fleet(tuple(pool(each) for each in names))
    found = best(model(name), fleet, context, requests)
    if found is None:
        assert not any(smallest(model(name), each, context, requests) for each in fleet.pools)
    else:
        assert not hasattr(resolve(fleet, found.need), "nearest")
