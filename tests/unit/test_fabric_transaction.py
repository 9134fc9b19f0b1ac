"""The transaction's promise: all switches or none, whatever fails and whenever the controller dies."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.engine.journal import Journal
from components.engine.switch import Desired
from components.engine.transaction import Timing, Transaction, TransactionResult
from components.engine.transaction_error import TransactionError
from tests.fake_switch import FACTORY, FakeSwitch, config

OLD = config("swp1", "swp2")
NEW = config("swp1", "swp2", extra="ip prefix-list A seq 5 permit 10.0.0.0/8")
OTHER_AS = config("swp1", "swp2", asn=65999)
OWNER = "lab/fabric"
# a tenth of real times: MARGIN_S stays what it is, so the rollback timer has to exceed it
QUICK = Timing(confirm_in_s=6, settle_s=0.3, look_every_s=0.02)


class Fabric:
    """Two configured switches and a journal."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "journal.db"
        self.a = FakeSwitch("a").settled(OLD)
        self.b = FakeSwitch("b").settled(OLD)
        self.peers = {"swp1": ("b", "swp1")}

    @property
    def both(self) -> tuple[FakeSwitch, FakeSwitch]:
        return self.a, self.b

    async def bring(self, a: str, b: str | None = None, timing: Timing = QUICK) -> TransactionResult:
        up = frozenset({"swp1", "swp2"})
        desired = {
            "a": Desired(config=a, expect_up=up, peers=self.peers),
            "b": Desired(config=b or a, expect_up=up, peers={"swp1": ("a", "swp1")}),
        }
        with Journal.open(self.path) as journal:
            switches = {"a": self.a, "b": self.b}
            return await Transaction(switches, desired, owner=OWNER, journal=journal, timing=timing).run()

    async def refusal(self, a: str, b: str | None = None, timing: Timing = QUICK) -> TransactionError:
        with pytest.raises(TransactionError) as caught:
            await self.bring(a, b, timing)
        return caught.value

    def assert_all(self, text: str) -> None:
        for switch in self.both:
            assert (switch.running, switch.startup, switch.has_pending) == (text, text, False), switch.name

    def open_intents(self) -> list[str]:
        return [f"{r.kind} {r.target}" for r in Journal.read_history(self.path) if r.outcome is None]


@pytest.fixture
def fabric(tmp_path: Path) -> Iterator[Fabric]:
    yield Fabric(tmp_path)


async def test_all_switches_change_and_are_confirmed(fabric: Fabric) -> None:
    result = await fabric.bring(NEW)
    assert set(result.changed) == {"a", "b"}
    fabric.assert_all(NEW)
    kinds = [(r.kind, r.target, r.outcome) for r in Journal.read_history(fabric.path)]
    assert sorted(kinds) == sorted((k, t, "done") for k in ("configure", "confirm") for t in ("a", "b"))


async def test_a_second_run_changes_nothing(fabric: Fabric) -> None:
    await fabric.bring(NEW)
    for switch in fabric.both:
        switch.calls.clear()
    assert (await fabric.bring(NEW)).changed == ()
    assert all(switch.calls == ["connect", "check", "close"] for switch in fabric.both)


async def test_only_the_switch_that_differs_is_changed_and_both_are_looked_at(fabric: Fabric) -> None:
    assert (await fabric.bring(OLD, NEW)).changed == ("b",)
    assert "apply" not in fabric.a.calls
    assert fabric.a.calls.count("look") >= 2


async def test_switches_from_the_factory_are_bootstrapped(fabric: Fabric) -> None:
    fabric.a, fabric.b = FakeSwitch("a", converge_s=0.1), FakeSwitch("b", converge_s=0.1)
    await fabric.bring(NEW)
    fabric.assert_all(NEW)


async def test_a_line_that_one_switch_refuses_changes_nothing_anywhere(fabric: Fabric) -> None:
    fabric.b.refuses_check = "bgp bestpaht"
    error = await fabric.refusal(NEW)
    assert "b refused" in str(error)
    assert "bgp bestpaht" in str(error)
    assert "nothing was changed" in str(error)
    fabric.assert_all(OLD)
    assert "apply" not in fabric.a.calls


async def test_an_unreachable_switch_stops_the_change_before_it_begins(fabric: Fabric) -> None:
    fabric.b.unreachable_for = {"connect"}
    error = await fabric.refusal(NEW)
    assert "b" in error.message
    assert "nothing was changed" in error.message
    fabric.assert_all(OLD)


async def test_lines_changed_by_hand_are_refused_and_named(fabric: Fabric) -> None:
    fabric.b.running = OLD + "ip route 10.9.0.0/16 blackhole\n"
    error = await fabric.refusal(NEW)
    assert "added `ip route 10.9.0.0/16 blackhole`" in str(error)
    assert "docs/runbooks/BgpSessionDown.md" in str(error)
    assert fabric.a.running == OLD


async def test_lines_changed_by_hand_are_adopted_when_the_description_is_exactly_that(fabric: Fabric) -> None:
    fabric.b.running = NEW
    assert set((await fabric.bring(NEW)).changed) == {"a", "b"}
    fabric.assert_all(NEW)


async def test_a_failed_apply_takes_the_other_switches_back(fabric: Fabric) -> None:
    fabric.b.refuses_apply = "not taken cleanly"
    error = await fabric.refusal(NEW)
    assert "every switch was taken back; sessions are as before" in error.message
    fabric.assert_all(OLD)


async def test_a_session_that_does_not_come_up_takes_everything_back(fabric: Fabric) -> None:
    fabric.b.down_after_apply = {"swp2"}
    error = await fabric.refusal(NEW)
    assert "swp2 is Idle" in str(error)
    fabric.assert_all(OLD)
    assert ("roll-back", "a") in {(r.kind, r.target) for r in Journal.read_history(fabric.path)}


async def test_a_session_that_was_down_before_is_not_excused(fabric: Fabric) -> None:
    del fabric.b._up_since["swp2"]  # pyright: ignore[reportPrivateUsage]
    fabric.b.down_after_apply = {"swp2"}
    assert "swp2 is" in str(await fabric.refusal(NEW))
    fabric.assert_all(OLD)


async def test_a_session_may_not_start_again_unless_the_change_says_so(fabric: Fabric) -> None:
    fabric.a.restarts_after_apply = {"swp1"}
    error = await fabric.refusal(NEW)
    assert "swp1 started again" in str(error)
    fabric.assert_all(OLD)


async def test_a_session_that_starts_again_by_chance_costs_one_more_try(fabric: Fabric) -> None:
    fabric.a.restarts_after_apply = {"swp1"}
    fabric.a.on_call = lambda call: fabric.a.restarts_after_apply.clear() if call == "rollback" else None
    await fabric.bring(NEW)
    assert fabric.a.calls.count("apply") == 2
    fabric.assert_all(NEW)


async def test_a_change_of_as_may_restart_its_sessions_at_both_ends(fabric: Fabric) -> None:
    # the far end is not changed and sees its session start again all the same
    def start_again(call: str) -> None:
        if call == "apply":
            fabric.a.start_again("swp1")

    fabric.b.on_call = start_again
    assert (await fabric.bring(OLD, OTHER_AS)).changed == ("b",)


async def test_never_confirmed_the_switch_takes_itself_back(fabric: Fabric) -> None:
    fabric.a.waiting(NEW, commit="x-1", owner=OWNER, remaining_s=0.1)
    assert fabric.a.running == NEW
    await asyncio.sleep(0.2)
    fabric.assert_all(OLD)


async def test_silence_after_apply_takes_back_whoever_answers_and_says_who_does_not(fabric: Fabric) -> None:
    fabric.b.unreachable_for = {"look", "state"}
    error = await fabric.refusal(NEW)
    assert "except on b, which takes itself back within" in error.message
    assert fabric.a.running == OLD
    assert fabric.b.running == NEW  # until its timer ends


async def test_a_lost_answer_to_confirm_is_resolved_by_asking(fabric: Fabric) -> None:
    fabric.b.unreachable_for = {"confirm-answer"}
    await fabric.bring(NEW)
    fabric.assert_all(NEW)


async def test_a_switch_that_cannot_be_confirmed_is_finished_by_the_next_run(fabric: Fabric) -> None:
    fabric.b.unreachable_for = {"confirm"}
    timing = Timing(confirm_in_s=5.5, settle_s=0.1, look_every_s=0.3)
    error = await fabric.refusal(NEW, timing=timing)
    assert "confirmed on a, not on b" in error.message
    await asyncio.sleep(0.5)
    assert fabric.b.running == OLD  # its timer
    fabric.b.unreachable_for = set()
    assert (await fabric.bring(NEW)).changed == ("b",)
    fabric.assert_all(NEW)


async def test_a_run_goes_on_where_a_dead_one_left_its_own_commit(fabric: Fabric) -> None:
    commit = await _commit_of(fabric, NEW)
    fabric.a.waiting(NEW, commit=commit, owner=OWNER, remaining_s=6)
    fabric.b.waiting(NEW, commit=commit, owner=OWNER, remaining_s=6)
    result = await fabric.bring(NEW)
    assert result.resumed
    assert "apply" not in fabric.a.calls
    fabric.assert_all(NEW)


async def test_a_run_that_died_between_two_confirms_is_finished(fabric: Fabric) -> None:
    commit = await _commit_of(fabric, NEW)
    fabric.a.settled(NEW)
    fabric.b.waiting(NEW, commit=commit, owner=OWNER, remaining_s=6)
    result = await fabric.bring(NEW)
    assert (result.resumed, result.changed) == (True, ("b",))
    fabric.assert_all(NEW)


async def test_what_waits_too_short_a_time_is_taken_back_and_begun_afresh(fabric: Fabric) -> None:
    commit = await _commit_of(fabric, NEW)
    for switch in fabric.both:
        switch.waiting(NEW, commit=commit, owner=OWNER, remaining_s=2)
    result = await fabric.bring(NEW)
    assert not result.resumed
    assert "rollback" in fabric.a.calls
    fabric.assert_all(NEW)


async def test_an_own_commit_of_another_content_is_taken_back_first(fabric: Fabric) -> None:
    fabric.a.waiting(OTHER_AS, commit="000000000000-1", owner=OWNER, remaining_s=60)
    await fabric.bring(NEW)
    assert "rollback" in fabric.a.calls
    fabric.assert_all(NEW)


async def test_a_commit_of_somebody_else_is_waited_for_and_never_touched(fabric: Fabric) -> None:
    fabric.a.waiting(OTHER_AS, commit="000000000000-1", owner="somebody", remaining_s=0.1)
    await fabric.bring(NEW)
    assert "rollback" not in fabric.a.calls
    fabric.assert_all(NEW)


@pytest.mark.parametrize("hang", ["look", "confirm"])
async def test_a_cancelled_run_takes_back_or_leaves_it_to_the_timers(fabric: Fabric, hang: str) -> None:
    fabric.b.hangs_in = hang
    run = asyncio.create_task(fabric.bring(NEW))
    await asyncio.sleep(0.2)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    fabric.b.hangs_in = None
    if hang == "look":
        fabric.assert_all(OLD)
    await fabric.bring(NEW)
    fabric.assert_all(NEW)
    assert not fabric.open_intents()


class KilledError(BaseException):
    """Stands for SIGKILL: no handler of Exception may see it."""


@pytest.mark.parametrize("call", ["connect", "check", "apply", "look", "confirm", "close"])
@pytest.mark.parametrize("who", ["a", "b"])
async def test_killed_at_any_call_the_next_run_completes(fabric: Fabric, call: str, who: str) -> None:
    victim = fabric.a if who == "a" else fabric.b

    def die(what: str) -> None:
        if what == call:
            raise KilledError(what)

    victim.on_call = die
    if call != "close":
        with pytest.raises(KilledError):
            await fabric.bring(NEW)
    victim.on_call = None
    await fabric.bring(NEW)
    fabric.assert_all(NEW)
    assert not fabric.open_intents(), "every intent has found its outcome"


async def test_the_factory_configuration_counts_as_a_change_like_any_other(fabric: Fabric) -> None:
    with Journal.open(fabric.path) as journal:
        desired = {"a": Desired(config=FACTORY), "b": Desired(config=FACTORY)}
        switches = {"a": fabric.a, "b": fabric.b}
        await Transaction(switches, desired, owner=OWNER, journal=journal, timing=QUICK).run()
    fabric.assert_all(FACTORY)


async def _commit_of(fabric: Fabric, text: str) -> str:
    """The id that a run of this content gives, learned from a run on other switches."""
    twin = Fabric(fabric.path.parent / "twin")
    seen: list[str] = []
    apply = twin.a.apply

    async def spy(config: str, *, commit: str, **rest: object) -> None:
        seen.append(commit)
        await apply(config, commit=commit, **rest)  # pyright: ignore[reportArgumentType]

    twin.a.apply = spy  # pyright: ignore[reportAttributeAccessIssue]
    await twin.bring(text)
    return seen[0]
