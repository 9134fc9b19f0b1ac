"""How a service is told of: where it is called, how many of it run, and what to try first."""

from __future__ import annotations

from dataclasses import replace

from components.plan import RegionPlan
from components.plan.tenants import ServicePlan
from components.spec.service import Gang, Kind
from stacks.cli.overview import how_to_call
from tests.a_service import chat
from tests.regions import lab, plan_of

TRAINING = chat(name="training", kind=Kind.JOB, job=Gang(pods=8), gpus=4)


def test_a_web_service_is_called_by_its_name_and_in_private_where_it_asks_for_keys() -> None:
    assert chat().url == "http://chat.demo.lab.internal/"
    assert chat(has_keys=True).url == "https://chat.demo.lab.internal/"


def test_nobody_calls_a_job_or_a_worker() -> None:
    assert TRAINING.url is None
    assert chat(kind=Kind.WORKER).url is None


def test_a_job_has_pods_and_everything_else_has_replicas() -> None:
    assert (TRAINING.extent, TRAINING.most_pods) == ("8 pods", 8)
    assert (chat().extent, chat().most_pods) == ("0 to 2", 2)


def with_services(*services: ServicePlan) -> RegionPlan:
    plan = plan_of(lab())
    return replace(plan, runtime=replace(plan.runtime, services=services))


def test_the_first_call_goes_to_a_service_that_asks_for_no_key() -> None:
    told = how_to_call(with_services(TRAINING, chat(has_keys=True), chat(host="open.demo.lab.internal")))
    assert told == "curl -H 'Host: open.demo.lab.internal' http://10.255.2.1/"


def test_where_all_ask_for_keys_the_call_brings_one() -> None:
    told = how_to_call(with_services(chat(has_keys=True)))
    assert told.endswith("-H 'Authorization: Bearer KEY' https://chat.demo.lab.internal/")
    assert "10.255.2.1" in told


def test_a_region_of_jobs_has_nothing_to_call() -> None:
    assert how_to_call(with_services(TRAINING)) == "the region runs no service that is called"
