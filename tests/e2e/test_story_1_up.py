"""The whole lab, once: from nothing to a served request, killed on the way, and run twice.

The tests of this module are one story and run in order; each prints what it ran.
"""

from __future__ import annotations

import json
import signal
import time
from collections import Counter

import pytest

from tests.e2e import machine, runbooks
from tests.e2e.process import ROOT, kill_providers, run, start, wait_for_provider
from tests.e2e.services import start_lab, write_wiring

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

KILLS = 20
"""Points spread over a run of fabric and substrate at which the provider is killed."""
DEPLOYED = ("lab-r01-t01", "lab-r01-t02", "lab-r01-t03")


def physical_actions() -> Counter[tuple[str, str]]:
    """(machine, action) -> how often the simulated hardware did it."""
    lines = (ROOT / ".lab" / "logs" / "physical.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    return Counter((e["machine"], e["action"]) for e in events)


def test_a_lab_killed_while_it_starts_is_removed_without_a_trace(before: dict[str, set[str]]) -> None:
    write_wiring()
    for seconds in (1.0, 3.0):
        process = start("python", "-m", "lab", "up")
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()
    run("python", "-m", "lab", "down", "--purge")
    assert machine.difference(before, machine.snapshot()) == {}


def test_a_host_that_does_not_deploy_is_found_by_its_runbook(before: dict[str, set[str]]) -> None:
    start_lab()
    secret = ROOT / ".lab" / "secrets" / "bmc.json"
    right = secret.read_text()
    try:
        secret.write_text(json.dumps({**json.loads(right), "password": "not the one"}))
        said = run("region", "up", "lab", "--layer", "substrate", expect=(3,)).stderr
        shown = runbooks.diagnose("HostDoesNotDeploy")
    finally:
        secret.write_text(right)
    for tray in DEPLOYED:
        assert f"{tray}: " in said
    assert "the BMC refused the credentials" in said
    assert "docs/runbooks/HostDoesNotDeploy.md" in said
    assert all(tray in shown["region verify lab --layer substrate --no-wake"] for tray in DEPLOYED)
    assert "enrol lab-r01-t02: failed" in shown["region status lab"], "what was done to it so far"
    (bmc,) = (text for command, text in shown.items() if "redfish" in command)
    assert "RedfishVersion" in bmc, "the BMC answers: it is not the cable"
    (ironic,) = (text for command, text in shown.items() if "ironic.log" in command)
    assert "401" not in ironic, "Ironic would try a wrong password until the BMC locks: it is not told one"
    # the mitigation is to run again: what follows does, and counts that no tray was touched for nothing


def test_a_provider_killed_at_twenty_points_repeats_no_destructive_action(before: dict[str, set[str]]) -> None:
    start_lab()
    kills = 0
    while kills < KILLS:
        process = start("region", "up", "lab", "--layer", "fabric", "--layer", "substrate", "--json")
        wait_for_provider(process)
        # each run resumes what the one before left, so the points spread over the whole bring-up
        time.sleep(0.2 + 0.15 * kills)
        killed = 0
        while process.poll() is None:  # both layers have a provider, and they do not start at the same moment
            killed += kill_providers(process.pid)
            time.sleep(0.1)
        if not killed:
            break  # the region was there before the next kill
        kills += 1
    run("region", "up", "lab", "--layer", "fabric", "--layer", "substrate")
    print(f"killed {kills} times")
    done = physical_actions()
    for tray in DEPLOYED:
        # the agent's medium is put in once each to inspect, to clean and to deploy
        assert done[tray, "media_insert"] == 3, (
            f"{tray} was booted into the agent more often than once for each purpose"
        )
    assert kills >= KILLS // 2, "the run was over before it could be killed often enough"


def test_a_region_comes_up_and_serves_a_request(before: dict[str, set[str]]) -> None:
    run("region", "up", "lab")
    run("region", "verify", "lab")
    answer = run(
        "curl", "-sS", "--max-time", "30", "-H", "Host: hello-gpu.demo.lab.internal", "http://10.255.2.1/"
    ).stdout
    assert "gpu" in answer.lower(), "the answer names the GPU that the function was given"


def test_a_second_run_changes_nothing_and_says_so(before: dict[str, set[str]]) -> None:
    counted = physical_actions()
    began = time.monotonic()
    said = run("region", "up", "lab").stderr
    print(f"no-op up took {time.monotonic() - began:.1f} s")
    assert "nothing to change" in said
    assert physical_actions() == counted, "the second run pressed a button"
