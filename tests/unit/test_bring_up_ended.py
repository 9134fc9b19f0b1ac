"""`region status` tells how the racks of a region were brought up, and when a run was cut off."""

from __future__ import annotations

import dataclasses
import io
import json
import re
import sqlite3
import time
from pathlib import Path

import pytest
from rich.console import Console

from components.checks.result import CheckResult
from components.engine.acceptance_verdict import Anchor
from components.engine.bring_up.result import Isolation, RackEnd, RackResult, Result
from components.engine.journal import Journal
from components.errors import SpecError
from components.plan.bring_up.cause import Cause
from stacks import project
from stacks.cli import bring_up_ended, output, overview, verify
from stacks.cli.bring_up_ended import BringUpStatus, bring_ups, in_words, note_end
from tests.regions import lab, plan_of

HEAD = Anchor(640, "a" * 64)


def rack(name: str, end: RackEnd, *lost: Isolation, reason: str = "") -> RackResult:
    return RackResult(rack=name, end=end, reason=reason, handed_over=(), isolated=lost)


def isolation(endpoint: str, cause: Cause) -> Isolation:
    return Isolation(rack="ess-r002", endpoint=endpoint, kind="nvlink_switch", step="flash", cause=cause, detail="")


RESULT = Result(
    racks=(
        rack("ess-r001", RackEnd.HANDED_OVER),
        rack(
            "ess-r002",
            RackEnd.ISOLATED,
            isolation("ess-r002/nvlink/1", Cause.FIRMWARE_STUCK),
            isolation("ess-r002/nvlink/2", Cause.SILENT),
            reason="2 of its NVLink switch trays isolated, it can do without 0",
        ),
    ),
    endpoints=142,
    seconds=61.0,
)


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a fleet on which a run has begun."""
    monkeypatch.setattr(project, "ROOT", tmp_path)
    return begun(project.simulated_folder("essonne", Path("faulty.yaml")))


def begun(folder: Path) -> Path:
    folder.mkdir(parents=True)
    Journal.open(folder / "journal.db", scope="essonne.bring-up", wait_s=0).close()
    return folder


def act(fleet: Path, at: float) -> None:
    """An action of the last run."""
    with sqlite3.connect(fleet / "journal.db") as journal:
        (run,) = journal.execute("SELECT max(id) FROM runs").fetchone()
        journal.execute(
            "INSERT INTO actions (run, target, kind, digest, destructive, intent_at) VALUES (?, 'x', 'flash', '0', 1, ?)",
            (run, at),
        )


def told(status: BringUpStatus) -> str:
    return "\n".join(line.plain for line in in_words(status))


def test_racks_by_end_isolated_ones_with_cause_and_runbook_and_the_ledgers_head_are_told(fleet: Path) -> None:
    act(fleet, time.time() - 1)
    note_end(fleet, RESULT, HEAD)
    (status,) = bring_ups("essonne")
    text = told(status)
    assert re.search(r"on faulty: 1 handed-over, 1 isolated; 142 endpoints, ended \d{4}-\d\d-\d\d", text)
    assert "ess-r002 is isolated: 2 of its NVLink switch trays isolated" in text
    assert "firmware-stuck: ess-r002/nvlink/1; see docs/runbooks/FirmwareDoesNotUpdate.md" in text
    assert "silent: ess-r002/nvlink/2; see docs/runbooks/BmcDoesNotAnswer.md" in text
    assert f"head {HEAD}" in text
    assert not status.is_open
    assert "acted since" not in text


def test_machines_are_told_the_same(fleet: Path) -> None:
    note_end(fleet, RESULT, HEAD)
    (status,) = bring_ups("essonne")
    found = json.loads(json.dumps(dataclasses.asdict(status)))
    assert found["fleet"] == "faulty"
    assert found["ended"]["racks"] == {"handed-over": 1, "handed-over-short": 0, "isolated": 1}
    assert [cause["runbook"] for cause in found["ended"]["causes"]] == [
        "docs/runbooks/FirmwareDoesNotUpdate.md",
        "docs/runbooks/BmcDoesNotAnswer.md",
    ]
    assert found["ended"]["head"] == str(HEAD)


def test_a_run_that_was_cut_off_before_any_end_is_told_by_its_journal(fleet: Path) -> None:
    act(fleet, time.time())
    (status,) = bring_ups("essonne")
    assert status.is_open
    assert "no run has come to its end" in told(status)
    assert "goes on with the same command" in told(status)


def test_a_run_that_was_cut_off_after_an_end_does_not_hide_behind_it(fleet: Path) -> None:
    note_end(fleet, RESULT, None)
    act(fleet, time.time() + 1)
    (status,) = bring_ups("essonne")
    assert status.is_open
    assert "1 handed-over, 1 isolated" in told(status)
    assert "a run has acted since" in told(status)


def test_a_region_that_was_never_brought_up_has_nothing_to_tell(fleet: Path) -> None:
    assert bring_ups("lab") == ()
    assert len(bring_ups("essonne")) == 1


def test_the_machines_that_were_delivered_come_before_simulated_ones(fleet: Path) -> None:
    note_end(begun(project.bring_up_folder("essonne")), RESULT, HEAD)
    own, simulated = bring_ups("essonne")
    assert (own.fleet, simulated.fleet) == ("", "faulty")
    assert "bring-up: 1 handed-over, 1 isolated; 142 endpoints" in told(own)


def test_a_damaged_file_is_refused_with_its_path(fleet: Path) -> None:
    (fleet / bring_up_ended.FILE).write_text("{")
    with pytest.raises(SpecError, match="cannot be read") as refused:
        bring_ups("essonne")
    assert str(fleet) in refused.value.problems[0].path


def test_what_a_run_ended_with_is_for_its_owner_only(fleet: Path) -> None:
    note_end(fleet, RESULT, HEAD)
    assert (fleet / bring_up_ended.FILE).stat().st_mode & 0o077 == 0


def test_region_status_tells_it_to_people_and_to_machines(
    fleet: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = dataclasses.replace(plan_of(lab()), region="essonne")  # of which only the name counts
    said = io.StringIO()

    def no_checks(*_: object, **__: object) -> list[CheckResult]:
        return []

    monkeypatch.setattr(verify, "verify_region", no_checks)
    monkeypatch.setattr(overview, "state_folder", bring_up_ended.state_folder)
    monkeypatch.setattr(output, "people", Console(file=said, width=200))
    note_end(fleet, RESULT, HEAD)
    overview.show_status(plan, as_json=False)
    assert "bring-up on faulty: 1 handed-over, 1 isolated" in said.getvalue()
    assert "docs/runbooks/FirmwareDoesNotUpdate.md" in said.getvalue()
    overview.show_status(plan, as_json=True)
    (brought_up,) = json.loads(capsys.readouterr().out)["bring_up"]
    assert brought_up["ended"]["isolated"] == {"ess-r002": RESULT.racks[1].reason}
