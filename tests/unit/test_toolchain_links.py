"""Links in .tools/bin: what a person finds on PATH."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab.toolchain import links
from lab.toolchain.build import Result, State
from lab.toolchain.catalogue import ModuleFile, catalogue


def a_result(tmp_path: Path, name: str, content: str = "x") -> Result:
    path = tmp_path / "cache" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    path.chmod(0o755)
    return Result(name=name, version="v1", path=path, state=State.BUILT, seconds=0)


def test_only_programs_for_people_and_the_lab_are_linked(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    links.link([a_result(tmp_path, "kubectl"), a_result(tmp_path, "kubelet")], catalogue(), folder)
    assert [entry.name for entry in folder.iterdir()] == ["kubectl"]
    assert (folder / "kubectl").readlink() == tmp_path / "cache" / "kubectl"


def test_a_link_follows_a_new_version_and_an_old_program_goes(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "gone").symlink_to(tmp_path)
    (folder / "kubectl").symlink_to(tmp_path / "old")
    (folder / "own-script").write_text("kept")
    links.link([a_result(tmp_path, "kubectl")], catalogue(), folder)
    assert sorted(entry.name for entry in folder.iterdir()) == ["kubectl", "own-script"]
    assert (folder / "kubectl").read_text() == "x"


def test_pulumi_is_the_file_itself_so_that_its_language_hosts_lie_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    result = a_result(tmp_path, "pulumi")
    links.link([result], catalogue(), folder)
    links.link([result], catalogue(), folder)
    assert not (folder / "pulumi").is_symlink()
    assert (folder / "pulumi").samefile(result.path)


@pytest.fixture
def executor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The executor as if it had been fetched, on a machine without an official language host."""
    path = tmp_path / "exec"
    path.touch()

    def fetch(_file: ModuleFile) -> Path:
        return path

    monkeypatch.setattr(links, "fetch_file", fetch)
    monkeypatch.setenv("PATH", str(tmp_path / "official"))
    return path


def test_our_language_host_starts_this_projects_interpreter(tmp_path: Path, executor: Path) -> None:
    assert links.link_language_host(catalogue(), tmp_path, Path("/project/.venv/bin/python"))
    script = tmp_path / links.LANGUAGE_HOST
    assert os.access(script, os.X_OK)
    assert "exec /project/.venv/bin/python -P -m lab.toolchain.language_host" in script.read_text()
    assert str(executor) in script.read_text()


def test_the_official_language_host_comes_first(tmp_path: Path, executor: Path) -> None:
    assert links.link_language_host(catalogue(), tmp_path)
    official = tmp_path / "official" / links.LANGUAGE_HOST
    official.parent.mkdir()
    official.write_text("#!/bin/sh\n")
    official.chmod(0o755)
    assert not links.link_language_host(catalogue(), tmp_path)
    assert not (tmp_path / links.LANGUAGE_HOST).exists()


def test_a_link_that_another_thread_is_making_is_not_stale(tmp_path: Path) -> None:
    draft = tmp_path / ".kubectl.123"
    draft.symlink_to("/nowhere")
    links.link([], catalogue(), tmp_path)
    assert draft.is_symlink()
