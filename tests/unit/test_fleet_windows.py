"""A bring-up in computed time is one of the real engine on the real fleet, and the same again."""

from __future__ import annotations

from benchmarks.fleet_bring_up import scenario_of
from benchmarks.fleet_windows import SELF_TUNED, run_one


def test_a_rack_is_handed_over_in_computed_time_no_sooner_than_its_floor_and_the_same_again() -> None:
    scenario = scenario_of("slow", 60)
    first, again = (run_one(1, scenario, SELF_TUNED, 0.001) for _ in range(2))
    assert (first.handed_over, first.isolated) == (1, 0)
    assert first.seconds > first.least.seconds
    assert first.requests > 71 * 20, "each endpoint was looked at, changed and looked at again"
    assert (again.seconds, again.requests) == (first.seconds, first.requests)


def test_what_this_process_computes_goes_by_on_the_computed_clock() -> None:
    scenario = scenario_of("quick", 60)
    idle, busy = (run_one(1, scenario, SELF_TUNED, processor_s) for processor_s in (0.0, 0.02))
    assert busy.seconds > 1.2 * idle.seconds, "1,500 requests of 20 ms each come one after the other"
