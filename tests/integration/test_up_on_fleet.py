"""`region up REGION --fleet sim:SCENARIO` as an operator runs it: to its end, again, and interrupted."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from stacks.cli.bring_up_ended import BringUpStatus, bring_ups
from stacks.project import ROOT, simulated_folder

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

SCENARIO = "seed: 3\ntime: {compression: 240}\n"


@pytest.fixture
def scenario(tmp_path: Path) -> Generator[Path]:
    """A scenario of the test's own name, so that its fleet is too; nothing of it is left."""
    path = tmp_path / f"of-a-test-{os.getpid()}.yaml"
    path.write_text(SCENARIO)
    yield path
    shutil.rmtree(simulated_folder("essonne", path), ignore_errors=True)


def words_of(*words: str) -> list[str]:
    """The command line of `region`."""
    return [sys.executable, "-c", "from stacks.cli.main import main; main()", *words]


def up_words(scenario: Path, *more: str) -> list[str]:
    return words_of("up", "essonne", "--fleet", f"sim:{scenario}", "--racks", "1", *more)


def up(scenario: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        up_words(scenario, *more),
        cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def simulators(scenario: Path) -> list[str]:
    """Processes that serve this scenario."""
    found: list[str] = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if str(scenario).encode() in words and b"lab.fleet" in words:
            found.append(entry.parent.name)
    return found


def status_of(scenario: Path) -> BringUpStatus:
    """What `region status` tells of the scenario's fleet."""
    return next(status for status in bring_ups("essonne") if status.fleet == scenario.stem)


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_run_ends_with_the_ledger_and_a_second_one_changes_nothing(scenario: Path) -> None:
    done = up(scenario, "--json")
    assert done.returncode == 0, done.stderr
    *told, result = lines(done.stdout)
    assert result["kind"] == "result"
    assert result["racks"] == {"handed-over": 1, "handed-over-short": 0, "isolated": 0}
    assert {line["kind"] for line in told} >= {"step"}
    assert not simulators(scenario)
    status = status_of(scenario)
    assert status.ended
    assert status.ended.racks == result["racks"]
    assert status.ended.head == result["ledger"]["head"]
    assert not status.is_open

    again = up(scenario)
    assert again.returncode == 0, again.stderr
    said = " ".join(again.stderr.split())
    assert "nothing to change" in said
    assert f"0 new entries, head {result['ledger']['head']}" in said

    words = ["ledger", "verify", "essonne", "--fleet", f"sim:{scenario}", "--head", result["ledger"]["head"], "--json"]
    verified = subprocess.run(
        words_of(*words),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    (checks,) = lines(verified.stdout)
    assert {c["name"]: c["status"] for c in checks["checks"]} == {"ledger.here": "ok", "ledger.store": "skip"}
    assert "71 serial numbers" in checks["checks"][0]["found"]


def test_a_file_that_is_no_scenario_is_a_wrong_description_and_may_be_put_right(scenario: Path) -> None:
    scenario.write_text("# How to contribute: see below\n\nRead this first.\n")
    done = up(scenario)
    assert done.returncode == 2, done.stderr
    assert f"{scenario} is no scenario" in " ".join(done.stderr.split())

    scenario.write_text("faults: [{fault: leak, endpoints: [ess-r999/1]}]\n")
    again = up(scenario)
    assert again.returncode == 2, again.stderr
    said = " ".join(again.stderr.split())
    assert "no endpoint is called ess-r999/1" in said
    assert "is no scenario" not in said, "what an earlier run said is not told again"
    assert not simulators(scenario)


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_stops_its_simulator_and_the_next_one_goes_on(scenario: Path, by: signal.Signals) -> None:
    run = subprocess.Popen(
        up_words(scenario, "--json"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stdout
    for line in run.stdout:
        if '"flash"' in line and '"done"' in line:
            run.send_signal(by)
            break
    _, said = run.communicate(timeout=300)
    assert run.returncode == 130, said
    assert "Traceback" not in said
    assert not simulators(scenario)
    assert status_of(scenario).is_open

    done = up(scenario, "--json")
    assert done.returncode == 0, done.stderr
    assert not status_of(scenario).is_open
    result = lines(done.stdout)[-1]
    assert result["racks"]["handed-over"] == 1
    entries = json.loads((simulated_folder("essonne", scenario) / "state" / "ledger.json").read_text())["entries"]
    flashes = [(e["endpoint"], e["detail"]) for e in entries if e["deed"] == "flash"]
    assert flashes
    assert len(flashes) == len(set(flashes)), "nothing was flashed twice"


def test_a_scenario_that_was_changed_is_refused(scenario: Path) -> None:
    folder = simulated_folder("essonne", scenario)
    folder.mkdir(parents=True)
    (folder / "scenario.sha256").write_text("of another text")
    done = up(scenario)
    assert done.returncode == 2
    assert "give it another name" in " ".join(done.stderr.split())
