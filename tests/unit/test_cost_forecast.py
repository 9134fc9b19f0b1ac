"""What a month costs: sums by hand, the order of floor, expected and ceiling, budgets, and the change of a pull request."""

from __future__ import annotations

import csv
import io
import time
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.plan.cost import (
    DEFAULT_DUTY,
    MONTH_HOURS,
    BudgetState,
    Forecast,
    Month,
    PriceList,
    budget_status,
    change_table,
    cost_change,
    euros,
    forecast,
    forecast_csv,
    headline,
    mean_floor,
    service_cost,
)
from components.plan.fleet import Fleet, GpuPlan, Pool
from components.plan.tenants import ScalingPlan, ServicePlan
from components.spec.scaling import Shift
from components.spec.service import Gang, Kind, ServicePort, Volume

L4 = Pool(
    name="l4", gpu_model="NVIDIA L4", architecture="ada", memory_gib=22, gpus_per_host=4, domain=1, gpus=12,
    eur_hour=0.5, kw_per_gpu=0.25,
)  # fmt: skip
H200 = replace(L4, name="h200", gpu_model="NVIDIA H200", eur_hour=3.0, kw_per_gpu=1.0)
FREE = replace(L4, name="new", gpu_model="NVIDIA New", eur_hour=None, kw_per_gpu=None)
FLEET = Fleet((L4, H200, FREE))
PRICES = PriceList(core_hour=0.02, gb_month=0.01, egress_gb=0.02, kwh=0.12)


def service(
    name: str = "chat", tenant: str = "acme", *, pools: tuple[str, ...] = ("l4",), **changes: object
) -> ServicePlan:
    base = ServicePlan(
        name=name,
        tenant=tenant,
        namespace=f"tenant-{tenant}",
        image="engine@sha256:0",
        host=f"{name}.{tenant}.lab.internal",
        ports=(ServicePort(),),
        cpu=1.0,
        gpus=1 if pools else 0,
        gpu=GpuPlan(pools=pools, selectors=tuple("true" for _ in pools), why="") if pools else None,
        min_replicas=1,
        max_replicas=3,
        idle_after_s=300,
        scaling=ScalingPlan(),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def of(
    *services: ServicePlan, budget: float | None = None, action: str = "warn", prices: PriceList = PRICES
) -> Forecast:
    budgets = {each.tenant: (budget, action) for each in services}
    return forecast(services, budgets, FLEET, prices)


def test_a_month_of_one_replica_is_the_sum_that_anybody_can_do_again() -> None:
    found = service_cost(service(max_replicas=1), FLEET, PRICES)
    assert found.floor.gpu == 730 * 0.5
    assert found.floor.energy == pytest.approx(730 * 0.25 * 0.12)
    assert found.floor.cpu == pytest.approx(730 * 0.02)
    assert found.floor == found.expected == found.ceiling
    assert found.month.floor == 365.0 + 21.9 + 14.6


def test_a_service_that_may_sleep_has_no_floor() -> None:
    found = service_cost(service(min_replicas=0), FLEET, PRICES)
    assert found.month.floor == 0
    assert found.hours.ceiling == 3 * MONTH_HOURS


def test_the_expected_month_uses_a_fifth_of_the_room_unless_the_service_or_a_history_says_otherwise() -> None:
    assert DEFAULT_DUTY == 0.2
    room = 2 * MONTH_HOURS
    assert service_cost(service(), FLEET, PRICES).hours.expected == MONTH_HOURS + 0.2 * room
    declared = service(expected_duty=0.5)
    assert service_cost(declared, FLEET, PRICES).hours.expected == MONTH_HOURS + 0.5 * room
    measured = service_cost(declared, FLEET, PRICES, duty=0.1).hours
    assert measured.expected == MONTH_HOURS + 0.1 * room
    assert measured.assumption == "10% of what is between floor and ceiling (measured)"


def test_the_ceiling_is_at_the_dearest_pool_that_replicas_may_spill_over_to() -> None:
    found = service_cost(service(pools=("l4", "h200")), FLEET, PRICES)
    assert found.pool == "l4"
    assert found.expected.gpu == pytest.approx(found.hours.expected * 0.5)
    assert found.ceiling.gpu == pytest.approx(found.hours.ceiling * 3.0)
    assert found.ceiling.energy == pytest.approx(found.hours.ceiling * 1.0 * 0.12)


def test_a_price_that_nobody_set_is_named_and_never_guessed() -> None:
    found = of(service(pools=("new",)))
    assert found.services[0].expected.gpu == 0
    assert found.services[0].missing == ("GPU-hour of NVIDIA New", "power of NVIDIA New")
    assert cost_change(None, found).warnings[0] == (
        "no price is set for the GPU-hour of NVIDIA New, which acme/chat needs: it is not in the sums"
    )


@pytest.mark.parametrize(
    ("shifts", "mean"),
    [
        ((), 1),
        ((("08:00", "20:00", 3),), 2),
        ((("22:00", "04:00", 3),), 1 + 2 * 6 / 24),
        ((("00:00", "12:00", 2), ("06:00", "18:00", 3)), (6 * 2 + 12 * 3 + 6 * 1) / 24),
        ((("08:00", "20:00", 99),), (12 * 3 + 12 * 1) / 24),
    ],
)
def test_a_schedule_is_part_of_the_floor(shifts: tuple[tuple[str, str, int], ...], mean: float) -> None:
    schedule = [Shift(start=start, end=end, replicas=replicas) for start, end, replicas in shifts]
    assert mean_floor(1, 3, schedule) == pytest.approx(mean)


def test_a_job_costs_one_run_up_to_its_limit() -> None:
    job = service(kind=Kind.JOB, job=Gang(pods=18, limit_s=7200), min_replicas=0, max_replicas=1)
    found = service_cost(job, FLEET, PRICES)
    assert (found.hours.floor, found.hours.ceiling) == (0, 36)


def test_volumes_are_stored_all_month_also_while_the_service_sleeps() -> None:
    disk = service(min_replicas=0, max_replicas=1, volumes=(Volume(name="data", path="/data", size_gib=1000),))
    assert service_cost(disk, FLEET, PRICES).floor.storage == pytest.approx(1073.74 * 0.01, abs=0.01)


def test_a_service_without_gpus_pays_its_cores_only() -> None:
    found = service_cost(service(pools=()), FLEET, PRICES)
    assert (found.pool, found.expected.gpu, found.expected.energy) == ("", 0, 0)
    assert found.expected.cpu > 0


@pytest.mark.parametrize(
    ("spent", "action", "state", "is_held", "says"),
    [
        (79.99, "hold", BudgetState.WITHIN, False, "acme: €79.99 of €100.00 (80%)"),
        (80, "hold", BudgetState.WARNING, False, "warning at 80%"),
        (100, "warn", BudgetState.REACHED, False, "all goes on, as the tenant chose"),
        (100, "hold", BudgetState.REACHED, True, "nothing new starts"),
    ],
)
def test_a_budget_warns_at_80_percent_and_does_at_100_what_the_tenant_chose(
    spent: float, action: str, state: BudgetState, is_held: bool, says: str
) -> None:
    found = budget_status("acme", spent, 100, action)
    assert (found.state, found.is_held) == (state, is_held)
    assert says in found.text


def test_without_a_budget_nothing_is_held() -> None:
    found = budget_status("acme", 1e9, None, "hold")
    assert (found.state, found.is_held) == (BudgetState.NONE, False)


def test_the_preview_warns_of_a_ceiling_beyond_the_budget_and_more_loudly_of_an_expected_month() -> None:
    ceiling = of(service()).month.ceiling
    (warning,) = cost_change(None, of(service(), budget=ceiling - 1)).warnings
    assert warning.startswith("at its ceiling, the month of acme: ")
    expected = of(service()).month.expected
    (warning,) = cost_change(None, of(service(), budget=expected / 0.9)).warnings
    assert warning.startswith("the expected month of acme: ")
    assert cost_change(None, of(service(), budget=ceiling + 1)).warnings == ()


def test_a_change_names_the_services_whose_month_it_changes_and_no_others() -> None:
    old = of(service("a"), service("b"), service("gone"))
    new = of(service("a"), service("b", max_replicas=30), service("new"))
    found = cost_change(old, new)
    assert [(line.service, line.state) for line in found.lines] == [("b", "changed"), ("gone", "gone"), ("new", "new")]
    assert found.delta.expected == pytest.approx(found.after.expected - found.before.expected)


def test_the_same_description_changes_nothing() -> None:
    assert cost_change(of(service()), of(service())).lines == ()


def test_a_first_description_is_all_new() -> None:
    found = cost_change(None, of(service()))
    assert [line.state for line in found.lines] == ["new"]
    assert found.delta == found.after


def test_the_comment_has_a_line_for_each_service_and_the_sum() -> None:
    found = cost_change(of(service("a")), of(service("a", max_replicas=1), service("b", pools=("h200",))))
    lines = list(change_table(found))
    assert lines[0] == "| service | lands on | floor | expected | ceiling | change of expected |"
    assert any(line.startswith("| `acme/b` (new) | h200 |") for line in lines)
    assert lines[-1].startswith("| **all services** |")
    assert headline(found).startswith("a month costs €")


def test_a_long_change_is_counted_not_cut() -> None:
    found = cost_change(None, of(*(service(f"s{n}") for n in range(40))))
    assert any(line.startswith("| 10 more |") for line in change_table(found))


def test_a_spreadsheet_has_a_row_for_each_service_and_its_parts_add_up() -> None:
    rows = list(csv.DictReader(io.StringIO(forecast_csv(of(service("a"), service("b", pools=("h200",)))))))
    assert [row["service"] for row in rows] == ["a", "b"]
    for row in rows:
        parts = sum(float(row[f"{part}_eur"]) for part in ("gpu", "energy", "cpu", "storage"))
        assert parts == pytest.approx(float(row["expected_eur"]), abs=0.005)


@pytest.mark.parametrize(
    ("value", "sign", "text"),
    [(12.5, False, "€12.50"), (-12.5, True, "-€12.50"), (1234.4, True, "+€1,234"), (0, True, "€0.00")],
)
def test_euros_are_written_one_way(value: float, sign: bool, text: str) -> None:
    assert euros(value, sign=sign) == text


calm = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""How fast the machine is just now is not what is tested."""


@st.composite
def services_at_random(draw: st.DrawFn) -> ServicePlan:
    pools = draw(st.sampled_from([(), ("l4",), ("h200",), ("l4", "h200"), ("l4", "h200", "new")]))
    least = draw(st.integers(min_value=0, max_value=50))
    return service(
        draw(st.sampled_from(["a", "b", "c", "d"])),
        pools=pools,
        min_replicas=least,
        max_replicas=max(1, least + draw(st.integers(min_value=0, max_value=500))),
        expected_duty=draw(st.none() | st.floats(min_value=0, max_value=1)),
        gpus=draw(st.integers(min_value=1, max_value=8)) if pools else 0,
        cpu=draw(st.floats(min_value=0.1, max_value=64)),
    )


@calm
@given(services_at_random())
def test_the_floor_is_never_above_the_expected_nor_this_above_the_ceiling(each: ServicePlan) -> None:
    month = service_cost(each, FLEET, PRICES).month
    assert 0 <= month.floor <= month.expected <= month.ceiling


@calm
@given(st.lists(services_at_random(), max_size=6, unique_by=lambda each: each.name))
def test_tenants_are_the_sum_of_their_services_to_the_cent(services: list[ServicePlan]) -> None:
    found = of(*services)
    total = sum((each.month for each in found.services), Month())
    assert found.month == total


def test_ten_thousand_services_are_forecast_in_a_second() -> None:
    services = [service(f"s{n}", f"t{n % 1000}", pools=("l4", "h200")) for n in range(10_000)]
    start = time.process_time()
    found = of(*services)
    assert len(found.tenants) == 1000
    assert time.process_time() - start < 1.5
