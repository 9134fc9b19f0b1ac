"""The runbook BgpSessionDown on the real symptom: every command of its diagnosis runs, and shows it."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from stacks.project import ROOT, load_hardware
from tests.e2e import runbooks

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


def lab(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "lab", *words], cwd=ROOT, check=True, capture_output=True, timeout=60)


@pytest.fixture
def silent_uplink() -> Iterator[None]:
    try:
        socket.create_connection((load_hardware("lab").fabric.switches[0].oob_address, 22), timeout=3).close()
    except OSError:
        pytest.skip("the lab's switches do not answer: make lab")
    # the symptom needs a fabric that is up: switches of a new lab have no sessions at all
    region = ROOT / ".venv" / "bin" / "region"
    done = subprocess.run(
        [region, "up", "lab", "--layer", "fabric"], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lab("silent", "lab-leaf1", "swp51", "on")
    time.sleep(1)
    yield
    lab("silent", "lab-leaf1", "swp51", "off")


@pytest.mark.usefixtures("silent_uplink")
def test_every_diagnosis_command_runs_and_together_they_show_the_symptom() -> None:
    told = runbooks.diagnose("BgpSessionDown")
    assert len(told) >= 7
    shown = {command.rpartition("172.30.0.19 ")[2]: text for command, text in told.items()}
    assert "lab-leaf1" in shown["region verify lab --layer fabric --no-wake"]
    summary = next(out for name, out in shown.items() if "show bgp summary" in name)
    assert re.search(r"swp51\S*\s.*(Idle|Active|Connect)", summary)
    assert "BFD Down" in shown["tail -n 30 /var/log/frr/frr.log"]
    assert re.search(r"^swp51@\S+\s+UP", shown["ip -br link"], re.M), "the carrier stays: only BFD sees it"
