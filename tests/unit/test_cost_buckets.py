"""What tenants' buckets add to a month: what is declared of them, and never a guess."""

from __future__ import annotations

from dataclasses import replace

from components.plan.cost import BUCKET, Month, cost_change, forecast
from tests.unit.test_cost_forecast import FLEET, PRICES, of, service


def test_a_bucket_is_paid_by_what_the_tenant_expects_it_to_hold_whether_anybody_calls_or_not() -> None:
    budgets = {"acme": (None, "warn")}
    found = forecast([service(min_replicas=0)], budgets, FLEET, PRICES, buckets_gb={"acme": 500})
    line = found.services[1]
    assert (line.tenant, line.service, line.month) == ("acme", BUCKET, Month(floor=5, expected=5, ceiling=5))
    assert found.month.floor == 5, "the service sleeps"
    without = forecast([service(min_replicas=0)], budgets, FLEET, PRICES)
    assert [(each.service, each.delta.floor) for each in cost_change(without, found).lines] == [(BUCKET, 5)]


def test_a_bucket_that_is_used_and_of_unknown_size_is_named_and_never_guessed() -> None:
    used = service(bucket_key=1)
    text = "what the bucket of acme holds is not declared (bucket.expected_gb): it is not in the sums"
    assert text in cost_change(None, of(used)).warnings
    assert cost_change(None, of(service())).warnings == (), "control: one that no service uses"
    declared = forecast([used], {"acme": (None, "warn")}, FLEET, PRICES, buckets_gb={"acme": 1})
    assert not cost_change(None, declared).warnings


def test_a_price_of_storage_that_nobody_set_is_missing_for_a_bucket_too() -> None:
    prices = replace(PRICES, gb_month=None)
    found = forecast([], {"acme": (None, "warn")}, FLEET, prices, buckets_gb={"acme": 1})
    assert [each.missing for each in found.services] == [("GB-month",)]
