"""The role usage_timer, run on this machine against a systemctl of the test's own."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from components.clients.ansible import PlaybookFailedError, RunResult
from stacks.cli.usage import usage
from tests.regions import ROOT
from tests.role_run import asked, program, run_role

pytestmark = pytest.mark.timeout(300)
SYSTEMCTL = """case "$1" in
    is-active) cat waits ;;
    is-failed) cat ends ;;
    is-enabled) case "$*" in *tokyo*) echo enabled ;; *) echo disabled; exit 1 ;; esac ;;
    show) echo LoadState=loaded; echo ActiveState=inactive ;;
esac
"""


def run(
    folder: Path, part: str, waits: str = "active\nactive\n", ends: str = "inactive\nactivating\n", **more: Any
) -> RunResult:
    (folder / "waits").write_text(waits)
    (folder / "ends").write_text(ends)
    program(folder, "systemctl", SYSTEMCTL)
    (folder / "units").mkdir(exist_ok=True)
    variables = {
        "__usage_timer_folder": str(folder / "units"),
        "usage_timer_regions": ["paris", "essonne"],
        "usage_timer_project": "/srv/gpuregion",
        **more,
    }
    return run_role(folder, "usage_timer", part, variables)


def units(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (folder / "units").iterdir()}


def test_each_run_is_a_unit_of_its_own_and_a_second_run_of_the_role_changes_nothing(tmp_path: Path) -> None:
    assert run(tmp_path, "configure").changed == 1
    found = units(tmp_path)
    assert set(found) == {"gpuregion-usage@.service", "gpuregion-usage@.timer"}
    service = found["gpuregion-usage@.service"]
    assert "\nExecStart=/srv/gpuregion/.venv/bin/region usage %i --record --json\n" in service
    assert "OnFailure" not in service
    assert run(tmp_path, "configure").changed == 0


def test_the_options_of_the_command_are_those_that_it_has(tmp_path: Path) -> None:
    run(tmp_path, "configure", usage_timer_act=True, usage_timer_on_failure="mail@%i.service")
    service = units(tmp_path)["gpuregion-usage@.service"]
    (command,) = re.findall("^ExecStart=.*/region usage %i (.*)$", service, re.MULTILINE)
    assert command.split() == ["--record", "--act", "--json"]
    assert {"record", "act", "as_json"} <= usage.__annotations__.keys()
    assert "\nOnFailure=mail@%i.service\n" in service


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here")
def test_systemd_takes_the_units_and_holds_the_command_tightly(tmp_path: Path) -> None:
    run(tmp_path, "configure", usage_timer_project=str(ROOT))
    folder = tmp_path / "units"
    for kind in ("service", "timer"):
        (folder / f"gpuregion-usage@.{kind}").rename(folder / f"gpuregion-usage@lab.{kind}")
    analyze = ["systemd-analyze", "verify", "--man=no", str(folder / "gpuregion-usage@lab.timer")]
    said = subprocess.run(analyze, capture_output=True, text=True, check=False).stderr
    assert not [line for line in said.splitlines() if "gpuregion-usage" in line], said
    exposure = ["systemd-analyze", "security", "--offline=true", "--threshold=30"]
    judged = subprocess.run(
        [*exposure, str(folder / "gpuregion-usage@lab.service")], capture_output=True, text=True, check=False
    )
    assert judged.returncode == 0, judged.stdout[-300:] + judged.stderr


def test_a_timer_runs_for_each_region_and_for_none_that_is_not_named(tmp_path: Path) -> None:
    wants = tmp_path / "units" / "timers.target.wants"
    wants.mkdir(parents=True)
    for name in ("gpuregion-usage@tokyo.timer", "gpuregion-usage@paris.timer", "logrotate.timer"):
        (wants / name).symlink_to("/nowhere")
    run(tmp_path, "service")
    assert {line.split()[-1] for line in asked(tmp_path, "start ")} == {
        "gpuregion-usage@essonne.timer",
        "gpuregion-usage@paris.timer",
    }
    assert asked(tmp_path, "disable ") == ["disable gpuregion-usage@tokyo.timer"]
    assert not asked(tmp_path, "logrotate")


def test_what_waits_and_ended_well_is_reported(tmp_path: Path) -> None:
    (report,) = run(tmp_path, "verify").reports["control"]
    assert report == {
        "role": "usage_timer",
        "timers": ["gpuregion-usage@essonne.timer", "gpuregion-usage@paris.timer"],
    }


@pytest.mark.parametrize(
    ("waits", "ends", "says"),
    [
        (
            "active\ninactive\n",
            "failed\ninactive\n",
            "wait for no run: gpuregion-usage@paris.timer; last runs that failed: gpuregion-usage@essonne.service",
        ),
        ("", "", "wait for no run: none; last runs that failed: none"),
    ],
    ids=["one of each", "systemd does not answer"],
)
def test_a_timer_that_does_not_wait_or_whose_run_failed_is_refused(
    waits: str, ends: str, says: str, tmp_path: Path
) -> None:
    with pytest.raises(PlaybookFailedError, match=says):
        run(tmp_path, "verify", waits, ends)
