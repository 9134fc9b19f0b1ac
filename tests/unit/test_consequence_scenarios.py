"""What each of many changes does, held in a golden file as the pull request would show it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from components.plan import RegionPlan
from components.plan.actions import ActionKind
from components.plan.consequences import Consequences, Danger, planned_actions, unfold
from stacks.cli.preview_markdown import LIMIT, markdown
from stacks.cli.preview_result import Preview
from tests.scenario_cases import CASES
from tests.scenarios import FULL, Scenario, change, plans, snapshot

Golden = Callable[[str, str], None]


def shown(plan: RegionPlan, found: Consequences) -> str:
    return markdown(
        Preview(
            region=plan.region,
            compared="the version before",
            consequences=found,
            plan=plan,
            phases=(),
            unready=(),
            description="",
        )
    )


@pytest.mark.parametrize("case", CASES)
def test_a_change_has_these_consequences(case: str, tmp_path: Path, golden: Golden) -> None:
    scenario = CASES[case]
    before, after = plans(tmp_path, scenario)
    found = change(before, after)
    assert found.is_empty == scenario.is_quiet or found.not_received.count, found
    planned = planned_actions(snapshot(before).layers, snapshot(after).layers)
    listed = {(g.layer, g.kind, target) for g in found.actions for target in unfold(g.targets)}
    assert {(p.layer, p.action.kind, p.action.target) for p in planned} == listed, "groups name all, and no other"
    assert sum(group.count for group in found.actions) == len(planned)
    text = shown(after, found)
    assert len(text.encode()) < LIMIT
    golden(f"consequences/{case}.md", text)


def test_the_first_of_all_changes_makes_everything_new(lab_plan: RegionPlan, golden: Golden) -> None:
    found = change(None, lab_plan)
    assert found.is_first
    assert found.worst is Danger.WIPED, "nothing that is in service can be lost"
    golden("consequences/first.md", shown(lab_plan, found))


def test_the_digest_is_of_what_is_done_and_of_nothing_else(tmp_path: Path) -> None:
    before, after = plans(tmp_path, CASES["tray-replaced"])
    found = change(before, after)
    assert change(before, after).digest == found.digest
    other = dataclasses.replace(after.racks[0].hosts[1], serial="LABR01T13")
    hosts = (after.racks[0].hosts[0], other, *after.racks[0].hosts[2:])
    elsewhere = dataclasses.replace(after, racks=(dataclasses.replace(after.racks[0], hosts=hosts),))
    assert change(before, elsewhere).digest != found.digest, "one letter of a serial number is another machine"


def test_the_way_back_of_a_change_is_a_change_too(tmp_path: Path) -> None:
    before, after = plans(tmp_path, CASES["spare-promoted"])
    back = change(after, before)
    assert back.worst is Danger.HOST_LOST
    assert back.nodes.leaving == ("lab-r01-t04",)


def test_two_hundred_and_fifty_racks_fit_in_a_comment(tmp_path: Path, golden: Golden) -> None:
    """All of Essonne gets another image: 4,003 hosts are made anew."""
    full = Scenario(base=FULL, images="2")
    before, after = plans(tmp_path, full)
    found = change(before, after)
    text = shown(after, found)
    assert sum(group.count for group in found.actions if group.kind is ActionKind.UNDEPLOY) == 4003
    assert len(text.encode()) < 10_000
    golden("consequences/full-size.md", text)
