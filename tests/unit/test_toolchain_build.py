"""Building: what is built, what is left alone, what a failure says. The Go tool is a script."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.toolchain import build as building
from lab.toolchain.build import Result, State, build, parse_version, path_without_links, reported_version
from lab.toolchain.catalogue import Module, Program, Use
from lab.toolchain.golang import Go

FAKE_GO = """#!/bin/sh
# go env ... | go build -C FOLDER -trimpath -ldflags FLAGS -o TARGET PACKAGE
[ "$1" != env ] || { printf 'go1.26.6\\nlinux\\namd64\\n'; exit; }
echo "$*" >> "$FAKE_GO_CALLS"
for last; do :; done
case $last in *broken*) echo "cannot find the thing" >&2; exit 1 ;; esac
while [ "$1" != -o ]; do shift; done
echo "built $last" > "$2"
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the fake Go tool writes down what it was called with."""
    tool = tmp_path / "go"
    tool.write_text(FAKE_GO)
    tool.chmod(0o755)
    record = tmp_path / "calls"
    record.touch()
    monkeypatch.setenv("FAKE_GO_CALLS", str(record))
    monkeypatch.setattr(building, "go", lambda: Go(str(tool)))
    return record


def a_program(tmp_path: Path, name: str, **changes: object) -> Program:
    folder = tmp_path / "modules" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "go.mod").write_text(f"module {name}\n")
    module = Module(
        name=name, folder=folder, source="example/m", version="v1.2.3", build_s=1, ldflags=("-X", "v=1"), embed={}
    )
    program = Program(
        name=name,
        module=module,
        package=f"example/{name}",
        used_by=frozenset({Use.LAB}),
        version_args=(),
        hard_link=False,
    )
    return dataclasses.replace(program, **changes)  # type: ignore[arg-type]


def test_a_program_is_built_once(tmp_path: Path, calls: Path) -> None:
    program = a_program(tmp_path, "one")
    (first,) = build([program], folder=tmp_path / "cache")
    (second,) = build([program], folder=tmp_path / "cache")
    assert (first.state, second.state) == (State.BUILT, State.CACHED)
    assert first.path.read_text() == "built example/one\n"
    assert len(calls.read_text().splitlines()) == 1


def test_the_flags_strip_paths_and_symbols(tmp_path: Path, calls: Path) -> None:
    build([a_program(tmp_path, "one")], folder=tmp_path / "cache")
    assert "-trimpath -ldflags -s -w -X v=1 -o" in calls.read_text()


def test_a_failure_names_the_program_and_the_log_and_keeps_what_is_finished(tmp_path: Path, calls: Path) -> None:
    programs = [a_program(tmp_path, "broken"), a_program(tmp_path, "good")]
    heard: list[str] = []

    def listen(name: str, result: Result | None) -> None:
        if result is not None:
            heard.append(name)

    with pytest.raises(LabError) as failed:
        build(programs, folder=tmp_path / "cache", listener=listen)
    text = str(failed.value)
    assert "broken v1.2.3 could not be built" in text
    assert "cannot find the thing" in text
    assert "broken.log" in text
    assert heard == ["good"]
    assert list((tmp_path / "cache" / "programs").rglob("*.partial")) == []


@pytest.mark.parametrize(("version", "state"), [("1.2.3", State.INSTALLED), ("1.2.4", State.BUILT)])
def test_a_program_on_the_path_is_used_in_the_pinned_version_only(
    tmp_path: Path, calls: Path, monkeypatch: pytest.MonkeyPatch, version: str, state: State
) -> None:
    installed = tmp_path / "bin" / "one"
    installed.parent.mkdir()
    installed.write_text(f"#!/bin/sh\necho one version v{version}\n")
    installed.chmod(0o755)
    monkeypatch.setenv("PATH", f"{installed.parent}:/usr/bin:/bin")
    (found,) = build([a_program(tmp_path, "one", version_args=("version",))], folder=tmp_path / "cache")
    assert found.state is state
    assert (found.path == installed) == (state is State.INSTALLED)


def test_our_own_links_are_no_installed_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = building.PROJECT / ".tools" / "bin"
    assert path_without_links({"PATH": f"/usr/bin:{ours}:/bin"}) == "/usr/bin:/bin"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v3.274.1\n", "3.274.1"),
        ("Client Version: v1.36.3\nKustomize Version: v5.8.1\n", "1.36.3"),
        ("v3.22.0+g1234567\n", "3.22.0"),
        ("registry github.com/distribution/distribution/v3 v3.0.0+unknown", "3.0.0"),
        ("built with go1.26", None),
        ("172.30.0.1 is an address", None),
        ("", None),
    ],
)
def test_a_version_is_the_first_number_of_three_parts(text: str, version: str | None) -> None:
    assert parse_version(text) == version


def test_a_program_that_cannot_be_run_has_no_version(tmp_path: Path) -> None:
    assert reported_version(str(tmp_path / "absent"), ["version"]) is None
