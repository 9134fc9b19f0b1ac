"""What is said of a model that fits on no host: how many hosts would hold it, and what one host holds instead."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.plan.fleet import Fleet, Pool, fits
from components.plan.models import best, no_fit, shape, wider
from tests.unit.test_model_fit import model, pool

GB200 = pool("gb200-nvl72", eur=6.0)
LARGE = model("mistral-large-3")


def reason(at: Pool, context: int = 131_072, concurrency: int = 4, name: str = "mistral-large-3") -> str:
    (said,) = no_fit(model(name), Fleet((at,)), context, concurrency).reasons
    return said


def instead(*pools: Pool, context: int = 131_072, concurrency: int = 4, name: str = "mistral-large-3") -> list[str]:
    return [str(each) for each in no_fit(model(name), Fleet(pools), context, concurrency).instead]


def test_a_long_context_of_a_large_model_needs_two_trays_of_one_nvlink_domain() -> None:
    found = wider(LARGE, GB200, 131_072, 4)
    assert found is not None
    assert (found.hosts_per_replica, found.shape.gpus, found.shape.precision) == (2, 8, "fp8")
    # 675 x 10^9 bytes over 8 GPUs, 70,272 bytes a token, and 4 GiB
    assert round(found.shape.sum_gib, 1) == round(675e9 / 8 / 2**30 + 70_272 * 131_072 * 4 / 2**30 + 4, 1) == 116.9
    assert reason(GB200).endswith(
        "has 185 GiB; it needs 8 GPUs (fp8, 116.9 GiB a GPU, €48.00 an hour):"
        " 2 hosts of one NVLink domain, and a replica runs on one host"
    )


def test_a_domain_with_too_few_trays_is_said_to_have_too_few() -> None:
    said = reason(replace(GB200, domain=4, gpus_per_host=2, gpus=64))
    assert "it needs 8 GPUs" in said
    assert said.endswith("4 hosts of one NVLink domain, and the largest here has 2")


def test_hosts_that_no_nvlink_joins_do_not_share_a_replica() -> None:
    said = reason(pool("dgx-h200"), 262_144, 3)
    assert said.endswith("it needs 16 GPUs (fp8, 94.8 GiB a GPU, €16.00 an hour): 2 hosts, whose GPUs no NVLink joins")


def test_gpus_of_one_host_that_no_nvlink_joins_do_not_share_a_replica_either() -> None:
    said = reason(pool("l4-edge-server"), 4096, 1, "pixtral-12b")
    assert said.endswith("it needs 2 GPUs (bf16, 15.9 GiB a GPU, €2.00 an hour): 1 host, whose GPUs no NVLink joins")


def test_a_cache_that_every_gpu_keeps_whole_is_not_helped_by_more_of_them() -> None:
    assert wider(LARGE, GB200, 262_144, 64) is None
    assert reason(GB200, 262_144, 64).endswith("has 185 GiB; 16 GPUs do not hold it either")


def test_without_a_price_none_is_told() -> None:
    assert "(fp8, 116.9 GiB a GPU)" in reason(pool("gb200-nvl72", eur=None))


def test_a_refusal_offers_the_longest_context_that_one_host_holds_in_any_precision() -> None:
    assert instead(GB200) == ["`context_tokens: 65536` (nvfp4 on 4 GPUs of gb200-nvl72)"]


def test_a_refusal_offers_the_most_requests_of_the_same_context() -> None:
    assert instead(pool("dgx-h200"), context=262_144, concurrency=8)[1] == (
        "`scaling.concurrency: 2` (fp8 on 8 GPUs of dgx-h200)"
    )


def test_of_equal_offers_the_cheapest_is_made() -> None:
    dear, cheap = pool("dgx-h200", eur=4.0), pool("dgx-b200", eur=1.0)
    assert instead(dear, cheap, context=1_000_000, concurrency=1)[0] == (
        "`context_tokens: 262144` (fp8 on 8 GPUs of dgx-b200)"
    )


def test_where_the_weights_alone_are_too_large_nothing_smaller_is_offered() -> None:
    assert instead(pool("l4-edge-server"), context=1, concurrency=1) == []


calm = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""How fast the machine is just now is not what is tested."""

_CONTEXTS = st.integers(min_value=1, max_value=300_000)
_REQUESTS = st.integers(min_value=1, max_value=512)
_MODELS = st.sampled_from(["mistral-large-3", "mistral-small", "pixtral-12b"])
_POOLS = st.sampled_from(["gb200-nvl72", "gb300-nvl72", "dgx-h200", "dgx-b200", "l4-edge-server"])


@calm
@given(_MODELS, _POOLS, _CONTEXTS, _REQUESTS)
def test_each_offer_fits_and_is_the_most_that_does(name: str, at: str, context: int, requests: int) -> None:
    profile, fleet = model(name), Fleet((pool(at),))
    if best(profile, fleet, context, requests):
        return
    for offer in no_fit(profile, fleet, context, requests).instead:
        assert fits(offer.pool, offer.shape.need)
        if offer.key == "context_tokens":
            assert best(profile, fleet, offer.most, requests)
            assert not best(profile, fleet, offer.most + 1, requests)
        else:
            assert best(profile, fleet, context, offer.most)
            assert not best(profile, fleet, context, offer.most + 1)


@calm
@given(_MODELS, _POOLS, _CONTEXTS, _REQUESTS)
def test_a_wider_replica_takes_whole_hosts_and_no_fewer_gpus_hold_it(
    name: str, at: str, context: int, requests: int
) -> None:
    profile, where = model(name), pool(at)
    found = wider(profile, where, context, requests)
    if found is None or best(profile, Fleet((where,)), context, requests):
        return
    assert found.shape.memory_gib <= where.memory_gib
    assert found.hosts_per_replica * where.gpus_per_host == found.shape.gpus or found.hosts_per_replica == 1
    precision = next(each for each in profile.precisions if each.name == found.shape.precision)
    for fewer in (count for count in profile.gpu_counts if count < found.shape.gpus):
        assert shape(profile, precision, fewer, context, requests).memory_gib > where.memory_gib or fewer > (
            where.domain
        )
