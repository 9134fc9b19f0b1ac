"""What was used: edges of periods, restarts, outages, and whose it is."""

from __future__ import annotations

import asyncio
import dataclasses
from itertools import pairwise

import pytest

from components.checks.metering import Period, counter_questions, growth, lifetime_questions, lifetimes
from components.checks.metering_cost import bills, budgets, shares
from components.checks.metering_usage import Owners, Usage, read_usage
from components.clients.metrics import Direct, Metrics, MetricsError
from components.plan.cost import BudgetState, PriceList
from components.plan.fleet import Fleet, Pool
from components.spec.rollout import Rollout, Strategy
from components.spec.tenant import AtLimit, Budget
from tests.fake_metrics import FakeMetrics
from tests.metering_load import DOWN, GPUS, HOURS, INTERVAL_S, SERVICES, Load
from tests.services import service, tenant

START = 1_790_000_000.0
NAME = {"service": "a"}


def grown(fake: FakeMetrics, start: float, end: float) -> float:
    """Of the one counter `c`, through the questions that metering asks."""

    async def ask() -> float:
        async with Direct("http://metrics", transport=fake.transport()) as direct:
            metrics = Metrics(direct, base="")
            asked = counter_questions("c", Period(start=start, end=end))
            rows = {name: await metrics.query(q.expression, at=q.at) for name, q in asked.items()}
            return sum(growth(rows["first"], rows["within"], rows["before"]).values())

    return asyncio.run(ask())


def counter(*points: tuple[float, float]) -> FakeMetrics:
    fake = FakeMetrics()
    fake.add("c", [(START + at, value) for at, value in points], **NAME)
    return fake


def test_a_counter_counts_what_it_grew_by_from_the_last_sample_before_the_period() -> None:
    fake = counter((0, 100), (10, 110), (20, 150))
    assert grown(fake, START + 5, START + 20) == 50


def test_a_counter_that_is_born_in_the_period_begins_at_zero() -> None:
    assert grown(counter((10, 7), (20, 9)), START, START + 60) == 9


def test_a_counter_with_one_sample_counts_whole() -> None:
    assert grown(counter((10, 7)), START, START + 60) == 7


@pytest.mark.parametrize("edge", [15.0, 25.0, 35.0], ids=["before the restart", "across it", "after it"])
def test_a_restart_loses_nothing_that_was_told_wherever_the_edge_is(edge: float) -> None:
    fake = counter((0, 0), (10, 100), (20, 150), (30, 20), (40, 60))
    before, after = grown(fake, START - 1, START + edge), grown(fake, START + edge, START + 50)
    assert before + after == 150 + 60


def test_an_outage_is_bridged_by_the_value_before_it() -> None:
    fake = counter((0, 1000), (10, 1010), (5000, 1500))
    assert grown(fake, START + 60, START + 6000) == 490
    assert grown(fake, START - 1, START + 60) + grown(fake, START + 60, START + 6000) == 1500


def lived(fake: FakeMetrics, start: float, end: float, now: float) -> float:
    async def ask() -> float:
        async with Direct("http://metrics", transport=fake.transport()) as direct:
            metrics, period = Metrics(direct, base=""), Period(start=start, end=end)
            asked = lifetime_questions("d", period, now)
            rows = {name: await metrics.query(q.expression, at=q.at) for name, q in asked.items()}
            return sum(lifetimes(rows["first"], rows["last"], period, INTERVAL_S).values())

    return asyncio.run(ask())


def device(*times: float) -> FakeMetrics:
    fake = FakeMetrics()
    fake.add("d", [(START + at, 1.0) for at in times], uid="1")
    return fake


def test_a_device_that_is_held_all_the_time_counts_for_exactly_the_period() -> None:
    fake = device(*range(-600, 4200, 5))
    assert lived(fake, START, START + 3600, START + 9000) == 3600


def test_two_periods_that_meet_add_up_to_both() -> None:
    fake = device(*range(103, 3000, 5))
    whole = lived(fake, START, START + 3600, START + 9000)
    for edge in (104, 777, 2998, 3001):
        parts = (START, START + edge, START + 3600)
        assert sum(lived(fake, a, b, START + 9000) for a, b in pairwise(parts)) == whole
    assert whole == pytest.approx(2998 - 103 + 5)


def test_a_device_is_held_on_while_the_metering_is_down() -> None:
    assert lived(device(0, 5, 10, 2000, 2005), START - 60, START + 2500, START + 9000) == pytest.approx(2010)


def test_a_device_whose_end_nobody_saw_ends_with_what_was_seen_last() -> None:
    assert lived(device(0, 5, 10), START - 60, START + 2500, START + 9000) == pytest.approx(15)


def test_a_period_that_is_not_over_counts_until_now() -> None:
    fake = device(*range(0, 101, 5))
    assert lived(fake, START, START + 3600, START + 100) == pytest.approx(100 + INTERVAL_S / 2)


OWNERS = Owners.of(
    [tenant("alpha"), tenant("beta")],
    [service(name=name, tenant=of) for name, of in SERVICES.items()],
    {"node-1": "l4"},
)


async def usage(fake: FakeMetrics, period: Period, now: float, owners: Owners = OWNERS) -> dict[str, Usage]:
    async with Direct("http://metrics", transport=fake.transport()) as direct:
        found = await read_usage(Metrics(direct, base=""), owners, period, now=now, interval_s=INTERVAL_S)
    return {each.service: each for each in found}


async def test_a_scripted_load_with_an_outage_and_restarts_is_metered_within_1_percent() -> None:
    load, fake = Load(START), FakeMetrics()
    for name, labels, at, value in load.samples(load.start, load.end + 1):
        fake.add(name, [(at, value)], **labels)
    # The period begins and ends at no sample, and the outage is within it.
    period = Period(start=load.start + 601.3, end=load.end - 707.7)
    assert period.start < load.start + DOWN[0] < load.start + DOWN[1] < period.end
    truth, found = load.truth(period), await usage(fake, period, load.end + 9000)
    assert set(found) == set(SERVICES)
    for name, use in found.items():
        assert use.tenant == SERVICES[name]
        assert use.gpu_seconds["l4"] == pytest.approx(truth.gpu_seconds[name], rel=0.01), name
        assert use.replica_seconds * GPUS[name] == pytest.approx(truth.gpu_seconds[name], rel=0.01), name
        assert use.requests == pytest.approx(truth.requests[name], rel=0.01), name
        assert use.bytes_out == pytest.approx(truth.bytes_out[name], rel=0.01), name
        assert use.tokens_out == pytest.approx(truth.tokens_out[name], rel=0.02), name
    assert sum(u.tokens_out for u in found.values()) == pytest.approx(sum(truth.tokens_out.values()), rel=0.01)
    assert period.seconds > HOURS * 3600 * 0.9


async def test_what_belongs_to_no_known_service_is_kept_for_its_tenant() -> None:
    fake = FakeMetrics()
    labels = {"namespace": "tenant-alpha", "uid": "1", "pool": "node-9", "device": "gpu-0"}
    fake.add("kube_resourceclaim_allocated_device", [(START + 5, 1), (START + 100, 1)], **labels)
    found = await usage(fake, Period(start=START, end=START + 200), START + 9000)
    assert found["-"].tenant == "alpha"
    assert found["-"].gpu_seconds == {"node-9": pytest.approx(100)}


async def test_routes_of_tracks_count_to_their_service() -> None:
    fake = FakeMetrics()
    for name in ("chat-a", "chat-b", "chat"):
        labels = {"route_namespace": "tenant-alpha", "route_name": name}
        fake.add("interceptor_request_count_total", [(START + 5, 0), (START + 100, 10)], **labels)
    canary = dataclasses.replace(service(name="chat", tenant="alpha"), rollout=Rollout(strategy=Strategy.CANARY))
    found = await usage(
        fake, Period(start=START, end=START + 200), START + 9000, Owners.of([tenant("alpha")], [canary], {})
    )
    assert found["chat"].requests == 30


async def test_a_question_that_is_not_understood_is_an_error_in_words() -> None:
    async with Direct("http://metrics", transport=FakeMetrics().transport()) as direct:
        with pytest.raises(MetricsError, match="not understood"):
            await Metrics(direct, base="").query("sum(", at=START)


def test_a_bill_has_the_prices_of_the_pool_and_says_what_has_none() -> None:
    fleet = Fleet(pools=(pool("l4", 0.8), pool("odd", None)))
    use = Usage(tenant="alpha", service="chat", replica_seconds=7200, bytes_out=2e9)
    use.gpu_seconds |= {"l4": 7200.0, "odd": 3600.0}
    prices = PriceList(core_hour=0.05, egress_gb=0.01, kwh=0.1)
    (bill,) = bills([use], [service(name="chat", tenant="alpha")], fleet, prices)
    assert bill.gpu_eur == pytest.approx(1.6)
    assert bill.energy_eur == pytest.approx(3 * 0.5 * 0.1)
    assert bill.cpu_eur == pytest.approx(2 * 0.1 * 0.05)
    assert bill.egress_eur == pytest.approx(0.02)
    assert bill.missing == ("GPU-hour of NVIDIA odd",)


def pool(name: str, eur: float | None) -> Pool:
    return Pool(
        name=name,
        gpu_model=f"NVIDIA {name}",
        architecture="ada",
        memory_gib=24,
        gpus_per_host=1,
        domain=1,
        gpus=2,
        eur_hour=eur,
        kw_per_gpu=0.5,
    )


@pytest.mark.parametrize(
    ("eur", "state"),
    [(79.99, BudgetState.WITHIN), (80.0, BudgetState.WARNING), (100.0, BudgetState.REACHED)],
)
def test_a_budget_warns_at_80_percent_and_is_reached_at_100(eur: float, state: BudgetState) -> None:
    use = Usage(tenant="alpha", service="chat")
    use.gpu_seconds["l4"] = eur * 3600
    fleet = Fleet(pools=(dataclasses.replace(pool("l4", 1.0), kw_per_gpu=None),))
    held = dataclasses.replace(tenant("alpha"), budget=Budget(month_eur=100, at_limit=AtLimit.HOLD))
    (status, free) = budgets([held, tenant("beta")], bills([use], [], fleet, PriceList()))
    assert (status.state, status.is_held) == (state, state is BudgetState.REACHED)
    assert free.state is BudgetState.NONE
    assert shares([status, free]) == {"alpha": pytest.approx(eur / 100)}
