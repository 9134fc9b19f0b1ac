"""The real plugin server under the real Pulumi engine, with a resource that counts in a file."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pulumi_project import ROOT, PulumiProject

PLUGIN = ROOT / "tests" / "fixtures" / "provider" / "counter_plugin.py"
PROGRAM = f"""
import json, pathlib, pulumi, sys
sys.path.insert(0, {str(ROOT)!r})
from components.provider.resource import Provider, ProviderArgs
class Counter(pulumi.CustomResource):
    value: pulumi.Output[int]
    def __init__(self, name, props, opts=None):
        super().__init__("gpuregion:test:Counter", name, {{"value": None, **props}}, opts)
here = pathlib.Path(__file__).parent.parent
provider = Provider("lab", ProviderArgs(region="lab", project=str(here)))
for name, props in json.loads((here / "counters.json").read_text()).items():
    counter = Counter(name, props, pulumi.ResourceOptions(provider=provider))
    pulumi.export(name, counter.value)
"""

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="needs the pinned tools on PATH: make tools"),
]


class Project(PulumiProject):
    """A project with counters."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, PROGRAM, launches=f'echo $$ >> {path}/pids\nexec {sys.executable} {PLUGIN} "$@"')
        self.run("stack", "init", "lab.test")

    def counters(self, **counters: dict[str, Any]) -> None:
        """What the program declares, each counter in a file of its own."""
        full = {name: {"file": str(self.path / name), **props} for name, props in counters.items()}
        (self.path / "counters.json").write_text(json.dumps(full))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_create_update_refresh_replace_and_destroy(project: Project) -> None:
    project.counters(a={"value": 1}, b={"value": 2})
    assert "+ 4 created" in project.up()
    assert json.loads(project.run("stack", "output", "--json")) == {"a": 1, "b": 2}
    assert "4 unchanged" in project.up()

    project.counters(a={"value": 7}, b={"value": 2})
    preview = project.run("preview", "--diff")
    assert re.search(r"~ value: 1 => 7", preview), preview
    assert "~ 1 updated" in project.up()
    assert json.loads((project.path / "a").read_text()) == {"value": 7}

    (project.path / "a").write_text('{"value": 9}')
    assert "~ 1 updated" in project.run("refresh", "--yes", "--skip-preview")
    assert "~ 1 updated" in project.up(), "drift that a refresh saw is put right by the next run"

    project.run("destroy", "--yes", "--skip-preview")
    assert not (project.path / "a").exists()
    log = (project.path / ".region" / "lab" / "logs" / "provider.log").read_text()
    assert "value: 1 -> 7" in log
    assert "a: update done after" in log


def test_bad_input_stops_before_anything_moves(project: Project) -> None:
    project.counters(a={"value": "many"})
    text = project.up(fails=True)
    assert "must be a whole number" in text
    assert "found: 'many'" in text
    assert not (project.path / "a").exists()


def test_a_failure_reads_without_traceback_and_the_next_run_completes(project: Project) -> None:
    project.counters(a={"value": 1}, b={"value": 2})
    (project.path / "a.fail").touch()
    text = project.up(fails=True)
    assert "counter stuck" in text
    assert "a: jammed" in text
    assert "remedy: run again" in text
    assert "Traceback" not in text
    assert 'File "' not in text
    assert (project.path / "b").exists(), "one failure does not stop the others"
    assert "value is not written yet" in project.run("preview", "--diff")
    text = project.up()
    assert "~ 1 updated" in text
    assert json.loads((project.path / "a").read_text()) == {"value": 1}
    assert "4 unchanged" in project.up()


def test_a_change_that_failed_and_is_taken_back_is_seen(project: Project) -> None:
    project.counters(a={"value": 1})
    project.up()
    (project.path / "a.fail").touch()
    project.counters(a={"value": 2})
    project.up(fails=True)
    project.counters(a={"value": 1})
    assert "value is not written yet" in project.run("preview", "--diff")
    assert "~ 1 updated" in project.up()
    assert "3 unchanged" in project.up()


@pytest.mark.parametrize("victim", ["provider", "engine"])
def test_a_killed_process_leaves_no_lock_and_the_next_run_completes(project: Project, victim: str) -> None:
    project.counters(a={"value": 1, "seconds": 30})
    process = subprocess.Popen(
        ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive"],
        cwd=project.path,
        env=project.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    lock = project.path / ".region" / "lab" / "journal.db.lab.test.lock"
    _until(lambda: lock.exists() and lock.read_text() != "")
    provider = int((project.path / "pids").read_text().split()[-1])
    os.kill(provider if victim == "provider" else process.pid, signal.SIGKILL)
    process.wait(timeout=60)
    _until(lambda: not Path(f"/proc/{provider}").exists())
    if victim == "engine":  # Pulumi's own lock of the stack is a file, which a killed engine leaves
        project.run("cancel", "--yes")
    project.counters(a={"value": 1})
    project.up()
    assert json.loads((project.path / "a").read_text()) == {"value": 1}


def _until(true: Callable[[], bool], timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.1)
