"""Content keys and whole files: what the cache of programs rests on."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

import pytest

from lab.toolchain.catalogue import Module, Program, Use
from lab.toolchain.store import content_key, digest, locked, place, whole_file

PLATFORM = "go1.26.6 linux/amd64"


def a_program(folder: Path, **changes: object) -> Program:
    """A program whose module stands in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {"go.mod": "module m\n", "go.sum": "a h1:x\n", "tools.go": "package tools\n"}.items():
        if not (folder / name).exists():
            (folder / name).write_text(text)
    module = Module(name="m", folder=folder, source="example/m", version="v1.0.0", build_s=1, ldflags=(), embed={})
    program = Program(
        name="p", module=module, package="example/m/p", used_by=frozenset({Use.LAB}), version_args=(), hard_link=False
    )
    return dataclasses.replace(program, **changes)  # type: ignore[arg-type]


def test_the_same_content_has_the_same_key_wherever_it_lies(tmp_path: Path) -> None:
    assert content_key(a_program(tmp_path / "a"), PLATFORM) == content_key(a_program(tmp_path / "b"), PLATFORM)


@pytest.mark.parametrize("name", ["go.mod", "go.sum", "tools.go", "main.go"])
def test_a_key_changes_with_each_file_that_a_build_reads(tmp_path: Path, name: str) -> None:
    before = content_key(a_program(tmp_path), PLATFORM)
    (tmp_path / name).write_text("changed\n")
    assert content_key(a_program(tmp_path), PLATFORM) != before


@pytest.mark.parametrize("name", ["main_test.go", "README.md"])
def test_a_key_does_not_change_with_what_a_build_does_not_read(tmp_path: Path, name: str) -> None:
    before = content_key(a_program(tmp_path), PLATFORM)
    (tmp_path / name).write_text("new\n")
    assert content_key(a_program(tmp_path), PLATFORM) == before


def test_a_key_changes_with_the_go_tool_the_package_and_the_flags(tmp_path: Path) -> None:
    program = a_program(tmp_path)
    flagged = dataclasses.replace(program.module, ldflags=("-X", "main.version=2"))
    keys = {
        content_key(program, PLATFORM),
        content_key(program, "go1.26.7 linux/amd64"),
        content_key(dataclasses.replace(program, package="example/m/q"), PLATFORM),
        content_key(dataclasses.replace(program, module=flagged), PLATFORM),
    }
    assert len(keys) == 4


def test_programs_of_one_module_have_folders_of_their_own(tmp_path: Path) -> None:
    one, other = a_program(tmp_path), a_program(tmp_path, package="example/m/q", name="q")
    assert place(one, PLATFORM, tmp_path).parent != place(other, PLATFORM, tmp_path).parent


def test_a_digest_knows_where_its_parts_end() -> None:
    assert digest("ab", "c") != digest("a", "bc")


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "x" / "program"
    with whole_file(target, 0o755) as partial:
        partial.write_text("half")
        assert not target.exists()
    assert target.read_text() == "half"
    assert target.stat().st_mode & 0o777 == 0o755


def test_a_failure_leaves_neither_the_file_nor_a_part_of_it(tmp_path: Path) -> None:
    def fail() -> None:
        with whole_file(tmp_path / "program") as partial:
            partial.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_lock_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        with locked(tmp_path / "lock"):
            inside.append(1)
            most.append(len(inside))
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1
