"""`region comment`: exit codes, what people and machines are told, and what they are never told."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path

import pytest

from components.clients.forge import Kind
from stacks.cli import main as cli
from tests.fake_forge import PROJECTS, REQUEST, TOKEN, FakeForge, Fault, running


@pytest.fixture
def forge(monkeypatch: pytest.MonkeyPatch) -> Generator[FakeForge]:
    """A GitHub, and the environment of a workflow on it."""
    with running(Kind.GITHUB) as server:
        for name, value in {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": server.target.api,
            "GITHUB_REPOSITORY": PROJECTS[Kind.GITHUB],
            "GITHUB_REF": f"refs/pull/{REQUEST}/merge",
            "GITHUB_TOKEN": TOKEN,
            "NO_PROXY": "127.0.0.1",
        }.items():
            monkeypatch.setenv(name, value)
        for name in ("FORGEJO_ACTIONS", "GITEA_ACTIONS", "GITLAB_CI", "GITHUB_EVENT_PATH"):
            monkeypatch.delenv(name, raising=False)
        yield server


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["region", "comment", *arguments])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return int(left.value.code or 0)


def test_a_preview_is_posted_and_then_updated(
    forge: FakeForge, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "preview.md"
    file.write_text("### lab: one rack is wiped\n")
    assert run(monkeypatch, "lab", "--file", str(file), "--json") == 0
    file.write_text("### lab: nothing changes\n")
    assert run(monkeypatch, "lab", "--file", str(file), "--json") == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(s["kind"], s["outcome"], s["number"]) for s in said] == [
        ("comment", "created", 101),
        ("comment", "updated", 101),
    ]
    assert len(forge.comments) == 1


def test_a_dry_run_prints_the_comment_and_sends_nothing(
    forge: FakeForge, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    (tmp_path / "preview.md").write_text("### lab\n")
    assert run(monkeypatch, "lab", "--file", str(tmp_path / "preview.md"), "--dry-run") == 0
    assert capsys.readouterr().out == "<!-- gpuregion:preview:lab -->\n### lab\n"
    assert forge.asked == []


@pytest.mark.parametrize(
    ("arguments", "text", "code", "says"),
    [
        (("atlantis",), "x", 2, "there is no region"),
        (("lab", "--forge", "gitlab"), "x", 2, "CI_API_V4_URL"),
        (("lab",), "x" * 70_000, 2, "70,031 characters"),
        (("lab", "--token", "env:NOT_SET"), "x", 1, "export NOT_SET"),
        (("lab", "--token", TOKEN), "x", 1, "file:PATH or env:NAME"),
    ],
)
def test_what_is_wrong_before_anything_is_sent_has_its_exit_code(
    forge: FakeForge,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    text: str,
    code: int,
    says: str,
) -> None:
    (tmp_path / "preview.md").write_text(text)
    assert run(monkeypatch, *arguments, "--file", str(tmp_path / "preview.md"), "--json") == code
    said = capsys.readouterr().out
    assert says in said
    assert TOKEN not in said, "also not where it was given by mistake"
    assert forge.asked == []


def test_a_file_that_is_not_there_is_named(
    forge: FakeForge, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "lab", "--file", "no-such.md", "--json") == 2
    assert json.loads(capsys.readouterr().out)["problems"][0]["path"] == "no-such.md"


def test_a_refusal_of_the_forge_ends_with_its_remedy_and_without_the_token(
    forge: FakeForge, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forge.faults["POST"] = [Fault(403, message=f"token {TOKEN} may not")]
    (tmp_path / "preview.md").write_text("### lab\n")
    assert run(monkeypatch, "lab", "--file", str(tmp_path / "preview.md")) == 3
    shown = capsys.readouterr()
    assert "give it the permission that docs/guides/pipelines.md names" in " ".join(shown.err.split())
    assert TOKEN not in shown.out + shown.err
