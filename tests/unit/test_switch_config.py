"""What the SwitchConfig resource accepts, and how it tells differences."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, cast

import pytest

from components.errors import RegionError
from components.plan.model import RegionPlan
from components.plan.resources import switch_group_inputs
from components.provider.handler import Context
from components.provider.switch_config import SwitchConfigHandler
from components.provider.switch_group import read_group

HANDLER = SwitchConfigHandler()


@pytest.fixture
def inputs(lab_plan: RegionPlan) -> dict[str, Any]:
    return switch_group_inputs(lab_plan)


def edited(inputs: dict[str, Any], switch: str, **fields: Any) -> dict[str, Any]:
    switches = inputs["switches"]
    return {**inputs, "switches": {**switches, switch: {**switches[switch], **fields}}}


def reconfigured(inputs: dict[str, Any], switch: str, old: str, new: str) -> dict[str, Any]:
    config = inputs["switches"][switch]["config"]
    assert old in config
    return edited(inputs, switch, config=config.replace(old, new))


def test_what_the_plan_gives_is_accepted(inputs: dict[str, Any]) -> None:
    assert HANDLER.check(inputs) == []


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"switches": {}}, "switches"),
        ({"ssh": {"user": "root", "private_key": "file:k"}}, "ssh.known_hosts"),
        ({"settle_s": 0}, "settle_s"),
        ({"confirm_in_s": 20, "settle_s": 15}, "confirm_in_s"),
    ],
)
def test_a_group_that_could_not_be_changed_safely_is_refused(
    inputs: dict[str, Any], change: dict[str, Any], path: str
) -> None:
    assert [p.path for p in HANDLER.check({**inputs, **change})] == [path]


@pytest.mark.parametrize(
    ("field", "value"), [("config", ""), ("address", "lab-leaf1"), ("expect_up", ["swp99"]), ("may_be_down", ["swp99"])]
)
def test_a_switch_that_is_wrong_is_named_with_its_field(inputs: dict[str, Any], field: str, value: Any) -> None:
    problems = HANDLER.check(edited(inputs, "lab-leaf1", **{field: value}))
    assert [p.path for p in problems] == [f"switches.lab-leaf1.{field}"]


def test_equal_inputs_have_no_difference(inputs: dict[str, Any]) -> None:
    assert HANDLER.diff(inputs, inputs) == []


def test_a_difference_names_the_switch_and_the_lines(inputs: dict[str, Any]) -> None:
    new = reconfigured(inputs, "lab-spine2", "transmit-interval 100", "transmit-interval 200")
    (change,) = HANDLER.diff(inputs, new)
    assert change.text.startswith("configure lab-spine2")
    assert "- bfd: transmit-interval 100" in change.text
    assert "+ bfd: transmit-interval 200" in change.text
    assert "starts again" not in change.text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("router bgp 65103", "router bgp 65199"),
        ("router-id 10.255.0.3", "router-id 10.255.0.9"),
        ("neighbor SPINES remote-as external", "neighbor SPINES remote-as internal"),
    ],
)
def test_a_difference_says_which_sessions_start_again(inputs: dict[str, Any], old: str, new: str) -> None:
    (change,) = HANDLER.diff(inputs, reconfigured(inputs, "lab-leaf1", old, new))
    assert "starts again: " in change.text
    assert "lab-leaf1:swp51" in change.text


def test_a_difference_shows_no_password(inputs: dict[str, Any]) -> None:
    line = " neighbor SPINES remote-as external\n"
    new = reconfigured(inputs, "lab-leaf1", line, f"{line} neighbor SPINES password hunter2\n")
    (change,) = HANDLER.diff(inputs, new)
    assert "neighbor SPINES password ***" in change.text
    assert "hunter2" not in change.text


def test_other_expectations_and_times_are_differences_too(inputs: dict[str, Any]) -> None:
    new = {**edited(inputs, "lab-leaf1", expect_up=["swp51"]), "settle_s": 20}
    assert [c.key for c in HANDLER.diff(inputs, new)] == ["switches", "settle_s"]


def test_what_a_refresh_found_is_told_by_the_next_preview(inputs: dict[str, Any]) -> None:
    seen = {n: {"config_sha256": d.sha256} for n, d in read_group(inputs).desired.items()}
    assert HANDLER.unfinished(inputs, {"switches": seen}) == []
    drifted = {**seen["lab-leaf1"], "drift": ["- no ip route 10.0.0.0/8 blackhole"]}
    other = {**seen, "lab-leaf1": drifted, "lab-leaf2": {"config_sha256": "0"}}
    texts = [c.text for c in HANDLER.unfinished(inputs, {"switches": other})]
    assert any("lab-leaf1 was changed by hand" in t for t in texts)
    assert any("lab-leaf2 does not have its configuration" in t for t in texts)


def test_a_system_without_an_adapter_is_planned_and_refused_before_anything_is_touched(
    essonne_rack: RegionPlan, tmp_path: Path
) -> None:
    inputs = switch_group_inputs(essonne_rack)
    assert HANDLER.check(inputs) == []
    nowhere = Context(project=tmp_path / "absent", region="essonne", journal=cast("Any", None), report=print)

    async def refused(work: Coroutine[Any, Any, object]) -> str:
        with pytest.raises(RegionError, match="nothing was touched") as error:
            await work
        (problem,) = error.value.problems
        return f"{problem.found}; {problem.allowed}; {problem.remedy}"

    for work in (
        HANDLER.create("fabric", inputs, nowhere),
        HANDLER.update("fabric", inputs, inputs, nowhere),
        HANDLER.read("fabric", inputs, nowhere),
        HANDLER.delete("fabric", inputs, nowhere),
    ):
        told = asyncio.run(refused(work))
        assert told.startswith("essonne-") and "more" in told
        assert "switches with frr" in told
        assert "region export essonne switches" in told


def test_a_state_without_systems_is_of_frr(inputs: dict[str, Any]) -> None:
    switches = {name: {k: v for k, v in s.items() if k != "os"} for name, s in inputs["switches"].items()}
    old = {**inputs, "switches": switches}
    assert HANDLER.check(old) == []
    assert HANDLER.diff(old, inputs) == []
    assert set(read_group(old).systems.values()) == {"frr"}
