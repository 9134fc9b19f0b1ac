"""Our language host under the real Pulumi engine: output, configuration, errors, interrupts."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOST = ROOT / ".tools" / "bin" / "pulumi-language-python"

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="needs the pinned tools on PATH: make tools"),
    pytest.mark.skipif(not HOST.exists(), reason="this machine has the official language host"),
]


class Project:
    """A Pulumi project of one program, with its state beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for folder in ("program", "state"):
            (path / folder).mkdir()
        (path / "Pulumi.yaml").write_text("name: tiny\nruntime: python\nmain: program/\n")
        self.environment = {
            **os.environ,
            "PULUMI_BACKEND_URL": f"file://{path / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            "PULUMI_HOME": str(path / "home"),
            "VIRTUAL_ENV": str(ROOT / ".venv"),
        }
        self.write("")
        assert self.run("stack", "init", "one").returncode == 0

    def write(self, program: str) -> None:
        (self.path / "program" / "__main__.py").write_text(program)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = ["pulumi", *arguments, "--non-interactive", "--color=never"]
        return subprocess.Popen(
            command, cwd=self.path, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        child = self.start(*arguments)
        output, _ = child.communicate(timeout=90)
        return subprocess.CompletedProcess(arguments, child.returncode, output)

    def processes(self) -> list[str]:
        """Command lines of processes that still run for this project."""
        found: list[str] = []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                text = entry.read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if str(self.path) in text:
                found.append(text)
        return found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_program_is_previewed_and_brought_up_without_a_warning(project: Project) -> None:
    project.write(
        "import pulumi, sys\nprint('from the program')\n"
        "pulumi.export('word', pulumi.Config().require('word'))\npulumi.export('python', sys.executable)\n"
    )
    assert project.run("config", "set", "word", "hi").returncode == 0
    for arguments in (("preview",), ("up", "--yes", "--skip-preview")):
        done = project.run(*arguments)
        assert done.returncode == 0, done.stdout
        assert "warning" not in done.stdout, "the engine finds the host beside pulumi"
        assert "from the program" in done.stdout
    assert project.run("stack", "output", "word").stdout.strip() == "hi"
    assert project.run("stack", "output", "python").stdout.strip() == str(ROOT / ".venv" / "bin" / "python")


def test_an_error_of_the_program_is_shown_once_with_its_place(project: Project) -> None:
    project.write("def f():\n    raise ValueError('boom')\nf()\n")
    done = project.run("preview")
    assert done.returncode != 0
    assert done.stdout.count("ValueError: boom") == 1
    assert '__main__.py", line 2, in f' in done.stdout


def test_an_interrupt_ends_the_program_and_leaves_no_process(project: Project, tmp_path: Path) -> None:
    mark = tmp_path / "started"
    project.write(f"import pathlib, time\npathlib.Path({str(mark)!r}).touch()\ntime.sleep(120)\n")
    child = project.start("preview")
    deadline = time.monotonic() + 60
    while not mark.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    child.send_signal(signal.SIGINT)
    output, _ = child.communicate(timeout=30)
    assert child.returncode != 0
    assert "Traceback" not in output, output
    deadline = time.monotonic() + 10
    while project.processes() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert project.processes() == []
