"""One fleet of mixed GPUs: where a need lands, in which order it spills over, and what is said where it fits nowhere."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.plan.fleet import (
    Fleet,
    Need,
    Placement,
    Pool,
    Refusal,
    claim_spec,
    driver_facts,
    fits,
    fleet_of,
    gpu_plan,
    lacks,
    need_of,
    resolve,
    selector,
)
from components.spec import load
from components.spec.region import Region
from components.spec.service import GpuNeed
from tests.regions import REGIONS


@cache
def region(name: str) -> Region:
    return load(REGIONS / name, REGIONS / "_catalogue")


def pool(name: str, **changes: object) -> Pool:
    base = Pool(
        name=name, gpu_model="NVIDIA H200", architecture="hopper", memory_gib=131, gpus_per_host=8, domain=8, gpus=32,
        eur_hour=3.2,
    )  # fmt: skip
    return replace(base, **changes)  # type: ignore[arg-type]


H200 = pool("h200")
L4 = pool("l4", gpu_model="NVIDIA L4", architecture="ada", memory_gib=22, gpus_per_host=4, domain=1, eur_hour=0.6)
GB200 = pool(
    "gb200", gpu_model="NVIDIA GB200", architecture="blackwell", memory_gib=185, gpus_per_host=4, domain=64, gpus=128,
    eur_hour=6.0,
)  # fmt: skip
GB300 = pool(
    "gb300", gpu_model="NVIDIA GB300", architecture="blackwell-ultra", memory_gib=268, gpus_per_host=4, domain=64,
    gpus=64, eur_hour=6.6,
)  # fmt: skip
RUBIN = pool(
    "rubin", gpu_model="NVIDIA Vera Rubin", architecture="rubin", memory_gib=268, gpus_per_host=4, domain=64, gpus=64,
    eur_hour=None,
)  # fmt: skip
MIXED = Fleet((RUBIN, GB300, GB200, H200, L4))


def landed(need: Need, fleet: Fleet = MIXED) -> list[str]:
    placement = resolve(fleet, need)
    return [each.name for each in placement.pools] if isinstance(placement, Placement) else []


def refused(need: Need, fleet: Fleet = MIXED) -> Refusal:
    placement = resolve(fleet, need)
    assert isinstance(placement, Refusal), f"{need} landed"
    return placement


def test_a_need_lands_on_the_cheapest_pool_and_spills_over_to_the_dearer_ones() -> None:
    assert landed(Need()) == ["l4", "h200", "gb200", "gb300", "rubin"]


def test_a_pool_without_a_price_comes_last() -> None:
    assert landed(Need(memory_gib=200)) == ["gb300", "rubin"]


@pytest.mark.parametrize(
    ("need", "pools"),
    [
        (Need(memory_gib=80), ["h200", "gb200", "gb300", "rubin"]),
        (Need(count=8), ["h200"]),
        (Need(architectures=("blackwell", "blackwell-ultra")), ["gb200", "gb300"]),
        (Need(count=4, together=32), ["gb200", "gb300", "rubin"]),
        (Need(count=2, together=2), ["h200", "gb200", "gb300", "rubin"]),
    ],
)
def test_every_property_counts(need: Need, pools: list[str]) -> None:
    assert landed(need) == pools


@pytest.mark.parametrize(("sold", "pools"), [(24, 5), (141, 4), (199, 3), (288, 2)])
def test_gigabytes_of_a_datasheet_are_found_in_the_pool_that_is_sold_with_them(sold: int, pools: int) -> None:
    assert len(landed(need_of(GpuNeed(memory_gb=sold)))) == pools


def test_all_replicas_of_one_domain_count_together() -> None:
    assert need_of(GpuNeed(count=4, nvlink_domain=True), 16).together == 64
    assert landed(need_of(GpuNeed(count=4, nvlink_domain=True), 17)) == []


def test_the_preview_says_where_it_lands_and_why() -> None:
    placement = resolve(MIXED, Need(count=1, memory_gib=80))
    assert isinstance(placement, Placement)
    assert placement.why == (
        "lands on h200: 1 GPU NVIDIA H200 a replica, €3.20 an hour without energy, the cheapest of 4 pools that fit;"
        " when it is full: gb200 (€6.00 a GPU-hour), gb300 (€6.60 a GPU-hour), rubin;"
        " not: l4 (memory of a GPU 22 GiB, not 80 GiB)"
    )


def test_what_fits_nowhere_is_refused_with_the_nearest_and_with_what_to_ask_for() -> None:
    found = refused(Need(count=16))
    assert found.why == "nearest is h200 (NVIDIA H200): GPUs of one host: asked 16, has 8"
    assert found.remedy == "ask for GPUs of one host 8, or place it in another region"


def test_the_nearest_lacks_the_fewest_things() -> None:
    found = refused(Need(count=8, memory_gib=200))
    assert found.nearest is not None
    assert (found.nearest.name, len(found.lacks)) == ("h200", 1)


def test_a_region_without_gpus_says_so() -> None:
    assert refused(Need(), Fleet(())).why == "the region has no GPUs that work for tenants"


def test_memory_that_the_catalogue_does_not_say_is_no_memory() -> None:
    unknown = pool("simulated", memory_gib=0, simulated=True)
    assert landed(Need(), Fleet((unknown,))) == ["simulated"]
    assert "has not known" in refused(Need(memory_gib=1), Fleet((unknown,))).why


def test_devices_are_selected_by_what_the_nvidia_driver_publishes() -> None:
    assert selector(H200, 80) == (
        "device.driver == 'gpu.nvidia.com' && device.attributes['gpu.nvidia.com'].type == 'gpu'"
        " && device.attributes['gpu.nvidia.com'].productName == 'NVIDIA H200'"
        " && device.attributes['gpu.nvidia.com'].architecture == 'Hopper'"
        " && device.capacity['gpu.nvidia.com'].memory.compareTo(quantity('80Gi')) >= 0"
    )


def test_simulated_gpus_are_selected_by_the_same_names_of_another_driver() -> None:
    assert selector(replace(H200, simulated=True), 80) == selector(H200, 80).replace(
        "gpu.nvidia.com", "gpu.example.com"
    )


def test_the_driver_of_simulated_gpus_is_told_what_selectors_ask_for() -> None:
    facts = driver_facts(GB300)
    assert facts == {"count": 4, "productName": "NVIDIA GB300", "architecture": "Blackwell", "memory": "268Gi"}
    asked = selector(replace(GB300, simulated=True), GB300.memory_gib)
    assert all(f"'{value}'" in asked for key, value in facts.items() if key != "count")


def test_one_rack_may_hold_two_pools() -> None:
    fleet = fleet_of(region("lab"))
    assert [(p.name, p.gpus, p.gpu_model, p.eur_hour) for p in fleet.pools] == [
        ("nspawn-rack", 4, "Simulated L4", 1),
        ("nspawn-rack-large", 4, "Simulated H200", 4),
    ]
    assert landed(need_of(GpuNeed(memory_gb=24)), fleet) == ["nspawn-rack", "nspawn-rack-large"]
    assert landed(need_of(GpuNeed(memory_gb=80)), fleet) == ["nspawn-rack-large"]


def test_blackwell_and_blackwell_ultra_are_told_apart_by_the_product() -> None:
    both = [selector(each, 0) for each in (GB200, GB300)]
    assert all("architecture == 'Blackwell'" in each for each in both)
    assert both[0] != both[1]


def test_a_claim_takes_the_first_kind_that_is_free_in_order_of_price() -> None:
    placement = resolve(MIXED, Need(count=2, memory_gib=80))
    assert isinstance(placement, Placement)
    (request,) = claim_spec(gpu_plan(placement), placement.need.count, "gpu")["devices"]["requests"]
    assert [each["name"] for each in request["first_available"]] == ["h200", "gb200", "gb300", "rubin"]
    assert {each["count"] for each in request["first_available"]} == {2}
    assert {each["device_class_name"] for each in request["first_available"]} == {"gpu"}


def test_a_claim_for_one_kind_is_exact() -> None:
    placement = resolve(MIXED, Need(count=8))
    assert isinstance(placement, Placement)
    (request,) = claim_spec(gpu_plan(placement), placement.need.count, "gpu")["devices"]["requests"]
    assert request["exactly"]["count"] == 8
    assert "first_available" not in request


def test_the_pools_of_a_region_are_its_workers_without_spares() -> None:
    essonne = fleet_of(region("essonne"))
    assert [(p.name, p.gpus, p.domain, p.gpus_per_host) for p in essonne.pools] == [("gb200-nvl72", 16_000, 64, 4)]
    edge = fleet_of(region("paris")).pool("l4-edge-server")
    assert edge is not None
    assert (edge.architecture, edge.domain, edge.memory_gb) == ("ada", 1, 24)


calm = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""How fast the machine is just now is not what is tested."""

_NAMES = [f"pool-{letter}" for letter in "abcdefghijkl"]
_ARCHITECTURES = ["ada", "hopper", "blackwell", "blackwell-ultra", "rubin"]
_PRICES = st.none() | st.floats(min_value=0, max_value=100, allow_nan=False)


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    host, domain = draw(st.sampled_from([1, 2, 4, 8])), draw(st.sampled_from([1, 8, 64, 72]))
    return Pool(
        name=draw(st.sampled_from(_NAMES)),
        gpu_model="any",
        architecture=draw(st.sampled_from(_ARCHITECTURES)),
        memory_gib=draw(st.integers(min_value=0, max_value=300)),
        gpus_per_host=host,
        domain=domain,
        gpus=draw(st.integers(min_value=1, max_value=20_000)),
        eur_hour=draw(_PRICES),
    )


_NEEDS = st.builds(
    Need,
    count=st.integers(min_value=1, max_value=72),
    memory_gib=st.integers(min_value=0, max_value=320),
    architectures=st.lists(st.sampled_from(_ARCHITECTURES), unique=True).map(tuple),
    together=st.integers(min_value=0, max_value=100),
)
_FLEETS = st.lists(pools(), max_size=10, unique_by=lambda each: each.name).map(lambda each: Fleet(tuple(each)))


@calm
@given(_FLEETS, _NEEDS)
def test_no_pool_is_taken_that_does_not_have_what_is_needed_and_none_is_left_out(fleet: Fleet, need: Need) -> None:
    placement = resolve(fleet, need)
    taken = placement.pools if isinstance(placement, Placement) else ()
    for each in taken:
        assert each.gpus_per_host >= need.count
        assert each.memory_gib >= need.memory_gib
        assert each.domain >= need.together
        assert not need.architectures or each.architecture in need.architectures
    assert {each.name for each in fleet.pools if fits(each, need)} == {each.name for each in taken}


@calm
@given(_FLEETS, _NEEDS)
def test_pools_are_in_order_of_price(fleet: Fleet, need: Need) -> None:
    placement = resolve(fleet, need)
    if isinstance(placement, Placement):
        prices = [float("inf") if each.eur_hour is None else each.eur_hour for each in placement.pools]
        assert prices == sorted(prices)


@calm
@given(_FLEETS, _NEEDS, pools())
def test_one_pool_more_never_makes_a_need_unfit(fleet: Fleet, need: Need, more: Pool) -> None:
    if isinstance(resolve(fleet, need), Placement):
        assert isinstance(resolve(Fleet((*fleet.pools, more)), need), Placement)


@calm
@given(pools(), _NEEDS)
def test_a_pool_lacks_something_exactly_where_it_does_not_fit(where: Pool, need: Need) -> None:
    assert bool(lacks(where, need)) != fits(where, need)


@calm
@given(_FLEETS, _NEEDS)
def test_asking_for_what_the_nearest_has_is_accepted(fleet: Fleet, need: Need) -> None:
    found = resolve(fleet, need)
    if isinstance(found, Refusal) and found.nearest is not None:
        near = found.nearest
        count = min(need.count, near.gpus_per_host, near.gpus)
        asked = Need(
            count=count,
            memory_gib=min(need.memory_gib, near.memory_gib),
            architectures=(near.architecture,) if need.architectures else (),
            together=min(need.together, near.domain, near.gpus) if near.domain > 1 else 0,
        )
        assert isinstance(resolve(fleet, asked), Placement)


def test_ten_thousand_needs_over_ten_pools_take_well_under_two_seconds() -> None:
    fleet = Fleet(tuple(replace(each, name=f"{each.name}-{n}") for each in MIXED.pools for n in (1, 2)))
    needs = [
        Need(count=1 + n % 8, memory_gib=n % 300, architectures=("hopper",) if n % 5 == 0 else ())
        for n in range(10_000)
    ]
    start = time.process_time()
    found = [resolve(fleet, each) for each in needs]
    spent = time.process_time() - start
    assert len(found) == 10_000
    assert spent < 1.0, f"{spent:.2f} s of CPU"
