"""How a command ends that cannot do its work: refused before it begins, with an exit code, in words and never as a traceback."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pulumi import automation
from pulumi.automation import CommandResult
from typer.testing import CliRunner

from components.errors import SpecError
from stacks.cli import ledger as ledger_command
from stacks.cli import main as cli
from stacks.cli import preview as preview_command
from stacks.cli import show as show_command
from stacks.cli import start, written
from stacks.cli import up as up_command
from tests.regions import ROOT

Words = list[str]
WRITING: list[tuple[Words, str]] = [
    (["show", "paris", "--format", "html"], "--out"),
    (["ledger", "export", "paris"], "--out"),
    (["status", "paris"], "--html"),
    (["preview", "paris"], "--save"),
]


def no_work(*_: object) -> None:
    pytest.fail("the work was begun")


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """No command may read a region."""
    monkeypatch.setattr(show_command, "load_hardware", no_work)
    monkeypatch.setattr(ledger_command, "load_hardware", no_work)
    monkeypatch.setattr(cli, "load_plan", no_work)
    monkeypatch.setattr(preview_command, "from_state", no_work)
    monkeypatch.setattr(up_command, "describe", no_work)


def refusal_of(*words: str) -> SpecError:
    refused = CliRunner().invoke(cli.app, list(words)).exception
    assert isinstance(refused, SpecError), refused
    return refused


@pytest.mark.usefixtures("idle")
@pytest.mark.parametrize(("words", "option"), WRITING, ids=[words[0] for words, _ in WRITING])
def test_a_file_that_cannot_be_written_is_refused_before_the_work(words: Words, option: str, tmp_path: Path) -> None:
    for path, why in ((tmp_path, "it is a folder"), (tmp_path / "gone" / "x", "the folder of the file does not exist")):
        (problem,) = refusal_of(*words, option, str(path)).problems
        assert (problem.path, problem.found, problem.message) == (option, str(path), why)
        assert problem.remedy


def test_a_page_is_replaced_whole_keeps_its_mode_and_goes_to_a_pipe_too(tmp_path: Path) -> None:
    page = tmp_path / "status.html"
    page.write_text("old")
    page.chmod(0o640)
    written.write(page, "new €")
    assert (page.read_text(encoding="utf-8"), page.stat().st_mode & 0o777) == ("new €", 0o640)
    reading, writing = os.pipe()
    written.write(Path(f"/dev/fd/{writing}"), "to whom it concerns")
    os.close(writing)
    assert os.read(reading, 100) == b"to whom it concerns"
    os.close(reading)
    assert list(tmp_path.iterdir()) == [page]


@pytest.mark.usefixtures("idle")
def test_what_is_asked_for_is_looked_at_before_the_description_is_read(tmp_path: Path) -> None:
    asked = CliRunner().invoke(cli.app, ["up", "lab", "--layer", "cake"])
    assert asked.exit_code == 2
    assert "unknown layer cake" in asked.output
    assert refusal_of("up", "lab", "--plan", str(tmp_path / "gone")).message == "this is no plan"


def test_a_folder_that_is_no_version_of_the_project_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    (problem,) = refusal_of("preview", "paris", "--against", str(tmp_path)).problems
    assert (problem.path, problem.found) == ("--against", str(tmp_path))


def ends(monkeypatch: pytest.MonkeyPatch, app: Callable[[], Any], *words: str) -> int | str | None:
    """The exit code of the whole program, where its commands do this."""
    monkeypatch.setattr(cli, "app", app)
    monkeypatch.setattr("sys.argv", ["region", *words])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return left.value.code


def full() -> None:
    raise OSError(errno.ENOSPC, "No space left on device", "/srv/page.html")


def test_what_the_machine_refuses_is_told_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ends(monkeypatch, full) == 1
    said = capsys.readouterr()
    assert "error: the system refused it\n  /srv/page.html: No space left on device" in said.err
    assert said.out == ""
    assert ends(monkeypatch, full, "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["kind"], told["schema"], told["problems"][0]["path"]) == ("error", 1, "/srv/page.html")


def test_a_state_that_pulumi_does_not_get_at_is_told_in_its_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def away() -> None:
        said = CommandResult(stdout="", stderr='error: unable to open state directory "file:///nowhere"', code=1)
        raise automation.CommandError(said)

    assert ends(monkeypatch, away) == 3
    said = capsys.readouterr().err
    assert 'found: error: unable to open state directory "file:///nowhere"\n' in said
    assert "remedy: `region env` prints what is used" in said


def test_where_standard_output_takes_nothing_that_is_told_beside_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stuck() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    assert ends(monkeypatch, stuck, "--json") == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "No space left on device" in said.err


def test_an_interrupt_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    class Loading:
        main = property(interrupted)

    monkeypatch.setattr(show_command, "load_hardware", interrupted)
    monkeypatch.setattr("sys.argv", ["region", "show", "paris"])
    for module in (cli, Loading()):
        monkeypatch.setitem(sys.modules, "stacks.cli.main", module)
        with pytest.raises(SystemExit) as left:
            start.main()
        assert left.value.code == 130
        assert capsys.readouterr().err == "interrupted; run the same command again to go on\n"


def test_a_terminal_that_lacks_a_sign_is_shown_another() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from stacks.cli.main import main; main()", "cost", "paris"],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "?463" in done.stdout


def test_the_environment_is_what_it_is_whatever_signs_are_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    strange = {"PATH": "/it's/bin:$(false)", "PULUMI_BACKEND_URL": "file:///a b"}
    monkeypatch.setattr(cli, "pulumi_environment", lambda: strange)
    exports = CliRunner().invoke(cli.app, ["env"]).stdout
    shell = ["/bin/sh", "-c", f'{exports}printf "%s|%s" "$PATH" "$PULUMI_BACKEND_URL"']
    assert subprocess.check_output(shell, text=True) == "|".join(strange.values())


def test_what_programs_read_of_a_forecast_is_one_line() -> None:
    (line,) = CliRunner().invoke(cli.app, ["cost", "paris", "--json"]).stdout.splitlines()
    assert json.loads(line)["kind"] == "cost-forecast"


def test_a_region_whose_images_are_gone_can_be_taken_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "load_plan", no_work)
    monkeypatch.setattr(cli, "run_layers", no_work)
    asked = CliRunner().invoke(cli.app, ["down", "lab"])
    assert asked.exit_code == 1
    assert "wipes the disks of lab-r01-t01" in " ".join(asked.output.split())
