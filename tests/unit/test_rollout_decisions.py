"""How a new version takes over: what is decided of what is seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.plan.rollout import (
    STEADY_S,
    Do,
    Standing,
    Track,
    decide,
    shares,
)
from components.spec.rollout import Rollout, Strategy
from stacks.rollout import is_refused
from tests.a_service import chat

CANARY = Rollout(strategy=Strategy.CANARY, weights=(10, 50), pause_s=60, max_error_percent=5)
BLUE_GREEN = Rollout(strategy=Strategy.BLUE_GREEN, pause_s=60)
SERVICE = chat(rollout=CANARY)
OLD, NEW = "0ld", "new"
SEEN = Standing(live=Track.A, versions={Track.A: OLD, Track.B: NEW}, share=0)
HELD = replace(SEEN, awake=True)
CALM = replace(SEEN, share=10, share_since_s=61, answers=200, errors=1)


def test_what_is_live_and_described_is_left_alone() -> None:
    step = decide(OLD, CANARY, SEEN)
    assert (step.do, step.is_last) == (Do.NOTHING, True)


def test_a_version_gets_no_request_before_a_replica_of_it_runs() -> None:
    assert decide(NEW, CANARY, SEEN).do is Do.HOLD_AWAKE
    assert decide(NEW, CANARY, HELD).do is Do.WAIT
    assert decide(NEW, CANARY, replace(HELD, ready_s=STEADY_S - 1)).do is Do.WAIT


def test_a_version_that_runs_gets_the_first_share() -> None:
    step = decide(NEW, CANARY, replace(HELD, ready_s=STEADY_S))
    assert (step.do, step.share) == (Do.SHARE, 10)


@pytest.mark.parametrize("wait", ["ErrImagePull", "ImagePullBackOff", "CrashLoopBackOff"])
def test_a_bad_image_never_gets_a_request(wait: str) -> None:
    for rollout in (CANARY, BLUE_GREEN):
        step = decide(NEW, rollout, replace(HELD, waits=(wait,)))
        assert (step.do, step.share) == (Do.TAKE_BACK, 0)
        assert wait in step.why


def test_a_version_that_never_gets_ready_is_taken_back_in_time() -> None:
    assert decide(NEW, CANARY, replace(HELD, starting_s=601)).do is Do.TAKE_BACK


def test_a_share_is_watched_for_its_time() -> None:
    assert decide(NEW, CANARY, replace(CALM, share_since_s=59)).do is Do.WAIT
    assert decide(NEW, CANARY, replace(CALM, share_since_s=None)).do is Do.WAIT


def test_shares_grow_until_the_version_has_all() -> None:
    assert shares(CANARY) == (10, 50, 100)
    second = decide(NEW, CANARY, CALM)
    assert (second.do, second.share) == (Do.SHARE, 50)
    last = decide(NEW, CANARY, replace(CALM, share=50))
    assert (last.do, last.share) == (Do.PROMOTE, 100)


def test_blue_green_gives_all_requests_at_once() -> None:
    step = decide(NEW, BLUE_GREEN, replace(HELD, ready_s=STEADY_S))
    assert (step.do, step.share) == (Do.PROMOTE, 100)


@pytest.mark.parametrize(("errors", "do"), [(9, Do.SHARE), (10, Do.TAKE_BACK), (200, Do.TAKE_BACK)])
def test_errors_take_a_version_back(errors: float, do: Do) -> None:
    assert decide(NEW, CANARY, replace(CALM, errors=errors)).do is do


def test_errors_take_a_version_back_before_its_share_was_watched_to_the_end() -> None:
    assert decide(NEW, CANARY, replace(CALM, share_since_s=5, errors=100)).do is Do.TAKE_BACK


def test_a_handful_of_answers_is_no_judgement() -> None:
    assert decide(NEW, CANARY, replace(CALM, answers=3, errors=3, share_since_s=5)).do is Do.WAIT


def test_at_the_end_of_a_share_its_few_answers_are_all_the_evidence_there_is() -> None:
    assert decide(NEW, CANARY, replace(CALM, answers=8, errors=4)).do is Do.TAKE_BACK
    assert decide(NEW, CANARY, replace(CALM, answers=8, errors=0)).do is not Do.TAKE_BACK


def test_a_limit_of_no_errors_is_met_by_no_errors() -> None:
    strict = replace_rollout(max_error_percent=0)
    assert decide(NEW, strict, replace(CALM, errors=0)).do is Do.SHARE
    assert decide(NEW, strict, replace(CALM, errors=1)).do is Do.TAKE_BACK


def replace_rollout(**changes: Any) -> Rollout:
    return CANARY.model_copy(update=changes)


def test_a_version_that_was_taken_back_is_not_tried_again() -> None:
    step = decide(NEW, CANARY, replace(SEEN, taken_back=NEW))
    assert (step.do, step.is_last) == (Do.NOTHING, True)
    assert is_refused(SERVICE, step), "and the run says so"
    assert decide("other", CANARY, replace(SEEN, taken_back=NEW, versions={Track.A: OLD, Track.B: "other"})).do is (
        Do.HOLD_AWAKE
    )


def test_a_description_that_goes_back_ends_the_rollout() -> None:
    step = decide(OLD, CANARY, CALM)
    assert step.do is Do.TAKE_BACK
    assert not is_refused(SERVICE, step), "what is described is live"
