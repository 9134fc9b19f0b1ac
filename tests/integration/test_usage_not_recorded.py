"""A timer that stopped is told by its alert, found by the runbook, and mended by one record; on the real database."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from components.clients.kubeconfig import Kubeconfig
from components.clients.kubernetes_change import KubernetesChange
from components.clients.metrics import PROXY, Direct, Metrics, Row
from components.plan import RegionPlan
from components.plan.alerts import ALERTS
from components.plan.measured import LAST_RECORD
from lab.toolchain.build import ensure
from stacks.cli import usage as usage_command
from stacks.cli.main import app
from tests.e2e import runbooks
from tests.e2e.process import ENVIRONMENT
from tests.metering_database import database, written
from tests.metering_load import Sample
from tests.role_run import asked, program

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

(ALERT,) = (alert for alert in ALERTS if alert.name == "UsageNotRecorded")
MINUTE = 60.0
HOURS = 8
"""A metering that ran for so long, until now."""


@pytest.fixture
def metering(tmp_path: Path) -> Iterator[str]:
    """The region's metering, behind the path that an API server has for it."""
    store = ensure("victoria-metrics")["victoria-metrics"]
    with database(store, tmp_path / "metering", below=PROXY) as url:
        yield url


def scraped(until: float) -> Iterator[Sample]:
    """What the metering tells of one source of its own, once a minute."""
    first = until - HOURS * 60 * MINUTE
    return (("up", {"job": "state", "instance": "a"}, first + n * MINUTE, 1.0) for n in range(HOURS * 60 + 1))


def recorded(at: float) -> Sample:
    """What a run of the timer leaves."""
    return LAST_RECORD, {}, at, at


def speaks(url: str, at: float) -> bool:
    """Whether the alert would be raised at this time."""

    async def asked_for() -> list[Row]:
        async with Direct(url) as direct:
            return await Metrics(direct, base="").query(ALERT.expression, at=at)

    rows = asyncio.run(asked_for())
    assert len(rows) <= 1, "one alert a region"
    return bool(rows)


def test_it_speaks_when_no_record_comes_and_is_quiet_while_they_come_and_in_a_new_region(metering: str) -> None:
    now = time.time()
    born = now - HOURS * 60 * MINUTE

    def minute(number: float) -> float:
        return born + number * MINUTE

    # Nobody set up a timer for two hours; then it runs once an hour, the longest that it may; then it stops.
    records = [recorded(minute(at)) for at in (120, 180, 240, 300)]
    written(metering, iter([*scraped(now), *records]))
    told = {number: speaks(metering, minute(number)) for number in (1, 60, 88, 96, 119, 121, 239, 299, 388, 392)}
    assert told == {
        1: False,
        60: False,
        88: False,
        96: True,
        119: True,
        121: False,
        239: False,
        299: False,
        388: False,
        392: True,
    }


def test_it_is_found_by_its_runbook_and_one_record_ends_it(
    metering: str, tmp_path: Path, lab_plan: RegionPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    written(metering, iter([*scraped(now), recorded(now - 7200)]))
    assert speaks(metering, now)
    run = _operator(metering, tmp_path, lab_plan, monkeypatch)
    age, timers, journal, figures, verify = runbooks.steps("UsageNotRecorded")
    (row,) = json.loads(run(age))["data"]["result"]
    assert float(row["value"][1]) == pytest.approx(7200, abs=60)
    run(timers)
    run(journal)
    assert asked(tmp_path, "list-timers") and asked(tmp_path, "gpuregion-usage@lab.service"), "systemd itself is asked"
    assert json.loads(run(figures))["region"] == "lab"
    assert speaks(metering, time.time()), "what only looks changes nothing"
    assert verify.startswith("region verify "), "needs a region that is up: the lab's own tests run it"
    (record, play) = runbooks.steps("UsageNotRecorded", "Mitigation")
    assert play.startswith("ansible-playbook playbooks/ops/usage_timer.yml "), "tests/roles/test_usage_timer.py runs it"
    run(record)
    written(metering, iter(()))  # what was pushed can be asked for
    assert not speaks(metering, time.time() + 1)


def _operator(url: str, folder: Path, plan: RegionPlan, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Runs a command as one who operates this region; what it shows. Its systemd is the test's own."""
    server = url.removesuffix(PROXY)
    access = Kubeconfig(server=server, ca="", certificate="", key="")

    def client(_: Path, *, timeout_s: float) -> KubernetesChange:
        return KubernetesChange(access, timeout_s=timeout_s, transport=httpx.AsyncHTTPTransport())

    monkeypatch.setattr(KubernetesChange, "from_file", client)
    monkeypatch.setattr(usage_command, "load_plan", lambda _: plan)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    for name in ("systemctl", "journalctl"):
        program(folder, name, "")
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "lab", "cluster": {"server": server}}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": ""}}],
        "current-context": "lab",
    }
    (folder / ".region" / "lab").mkdir(parents=True)
    (folder / ".region" / "lab" / "kubeconfig").write_text(json.dumps(document))
    environment = {**ENVIRONMENT, "PATH": f"{folder / 'bin'}{os.pathsep}{ENVIRONMENT['PATH']}"}

    def run(command: str) -> str:
        if command.startswith("region "):
            done = CliRunner().invoke(app, command.split()[1:])
            assert done.exit_code == 0, (done.output, done.exception)
            return done.stdout
        words = ["sh", "-c", command]
        return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout

    return run
