"""The account that reads the bucket of weights: what it may do, and what a change of it means."""

from __future__ import annotations

import json
from typing import Any

from components.checks.result import Status
from components.checks.weights_reader import judge_reader
from components.clients.bucket_policy import reading
from components.plan import RegionPlan
from components.plan.inventory import weights_credentials
from components.provider.bucket_reader_preview import BucketReaderPreview
from stacks.tenants import declare_weights_reader
from tests.pulumi_mocks import declare

HANDLER = BucketReaderPreview()


def inputs(**changed: Any) -> dict[str, Any]:
    store = {"endpoint": "https://172.30.0.1:7070", "credentials": "file:s3.json", "ca_certificate": "file:ca.crt"}
    return {"bucket": "weights", "reader": "file:reader.json", **store, **changed}


def test_the_policy_grants_one_account_to_read_and_nothing_else() -> None:
    statements = reading("weights", "reader")["Statement"]
    assert sorted(action for each in statements for action in each["Action"]) == ["s3:GetObject", "s3:ListBucket"]
    assert {json.dumps(each["Principal"]) for each in statements} == {json.dumps({"AWS": ["reader"]})}
    assert {resource.partition("/")[0] for each in statements for resource in each["Resource"]} == {
        "arn:aws:s3:::weights"
    }


def test_the_caches_of_a_region_have_another_account_than_the_region(lab_plan: RegionPlan) -> None:
    assert weights_credentials(lab_plan) != lab_plan.endpoints.credentials["s3"]


def test_the_provider_is_told_of_references_and_of_no_key(lab_plan: RegionPlan) -> None:
    seen = declare(lambda: declare_weights_reader(lab_plan, opts=None))
    told = seen["lab-weights-reader"].inputs
    assert told["reader"] == "file:.lab/secrets/weights_reader.json"
    assert told["credentials"] == "file:.lab/secrets/s3.json"
    assert HANDLER.check(told) == []


def test_a_reader_as_it_is_described_is_left_alone() -> None:
    assert HANDLER.check(inputs()) == []
    assert HANDLER.diff(inputs(), inputs()) == []
    assert HANDLER.unfinished(inputs(), {"access_key": "reader"}) == []


def test_another_reference_is_another_key_and_another_bucket_another_reader() -> None:
    assert [change.replaces for change in HANDLER.diff(inputs(), inputs(reader="file:other.json"))] == [False]
    assert [change.replaces for change in HANDLER.diff(inputs(), inputs(bucket="other"))] == [True]


def test_a_reader_that_a_refresh_found_wrong_is_made_anew() -> None:
    assert [change.key for change in HANDLER.unfinished(inputs(), {"access_key": ""})] == ["reader"]


def test_the_operators_own_key_is_no_reader() -> None:
    (problem,) = HANDLER.check(inputs(reader="file:s3.json"))
    assert (problem.path, problem.found) == ("reader", "file:s3.json")


def test_a_reader_without_a_store_is_refused() -> None:
    assert [problem.path for problem in HANDLER.check(inputs(endpoint=""))] == ["endpoint"]


def test_caches_that_read_their_bucket_and_no_more_are_good_and_all_else_is_told() -> None:
    assert judge_reader(True, reads_only=True).status is Status.OK
    for is_open, says in (
        (True, "policy"),
        (False, "does not open"),
        (None, "no such bucket"),
        ("HTTP 500", "HTTP 500"),
    ):
        found = judge_reader(is_open, reads_only=False)
        assert found.status is not Status.OK
        assert says in found.found
