"""The runbook LabDoesNotStart on real causes: its commands run, and show what the runbook says."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from lab import roots
from lab.switches import root as factory
from tests.e2e import runbooks
from tests.integration.bench import Bench, bench
from tests.regions import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

PARTS = tuple(word for part in ("dns", "registry", "web") for word in ("--only", part))
TAKES_A_PORT = "import socket, sys, time; s = socket.create_server((sys.argv[1], int(sys.argv[2]))); time.sleep(600)"


@pytest.fixture
def machine(tmp_path: Path) -> Generator[Bench]:
    """A bench where a lab can come up: its network is there."""
    home = tmp_path / "lab"
    home.mkdir()
    shutil.copy(ROOT / "tests" / "golden" / "lab" / "wiring.json", home / "wiring.json")
    roots.build(factory.SPEC, tmp_path / "log")  # a bench has no way out
    with bench(home) as made:
        made.lab("up", "--only", "network")
        yield made


def diagnose(on: Bench) -> dict[str, str]:
    """What each command of the runbook shows; that the lab does not start is seen already."""
    path = f"PATH={ROOT}/.venv/bin:{os.environ['PATH']}"
    shown: dict[str, str] = {}
    for command in runbooks.steps("LabDoesNotStart"):
        if command != "python -m lab up":
            words = command.replace(".lab/", f"{on.home}/")
            # That something is wrong, as the first two say it, is what they are asked for.
            shown[command] = on.run("env", path, "sh", "-c", f"{words} || [ $? -eq 1 ]")
    return shown


def test_a_port_that_another_program_has_is_found_and_the_next_run_goes_on(machine: Bench) -> None:
    places = (("0.0.0.0", "5000"), ("0.0.0.0", "8080"))  # noqa: S104, on a bench
    strangers = [machine.start(sys.executable, "-c", TAKES_A_PORT, *place) for place in places]
    for _, port in places:
        machine.run("sh", "-c", f"until ss -Hlnt | grep -q :{port}; do sleep 0.1; done")
    said = machine.lab("up", *PARTS, code=1)
    assert "2 of " in said, said
    assert "docs/runbooks/LabDoesNotStart.md" in said
    shown = diagnose(machine)
    assert "CoreDNS" in shown["tail -n 20 .lab/logs/*.log"], "what did start says so in its log"
    assert len(re.findall(r":(?:5000|8080) .*python", shown["ss -lntup"])) == 2, "it names who has the ports"
    assert "another program answers" in shown["python -m lab status"]
    for stranger in strangers:
        machine.kill_lab(stranger)
    machine.lab("up", *PARTS)
    assert "another program answers" not in machine.lab("status", code=1)


def test_a_lab_of_another_checkout_is_named_with_the_command_that_ends_it(machine: Bench, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(machine.home / "wiring.json", other)
    said = machine.run("env", f"LAB_HOME={other}", sys.executable, "-m", "lab", "up", code=4)
    assert f"LAB_HOME={machine.home} python -m lab down" in said
