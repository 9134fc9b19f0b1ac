"""YAML as the description reads it: 1.2's core schema, each value with its line, whichever parser PyYAML has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ruamel.yaml import YAML

from components.spec import source
from components.spec.position import Location
from components.spec.source import read
from tests.regions import REGIONS

FILES = sorted(REGIONS.rglob("*.yaml"))


@pytest.fixture(params=["CBaseLoader", "BaseLoader"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The parser in C, and the one that stands in where PyYAML was built without it."""
    monkeypatch.setattr(source, "LOADER", getattr(yaml, request.param))
    return request.param


def value_of(folder: Path, text: str) -> Any:
    path = folder / "file.yaml"
    path.write_text(f"key: {text}\n")
    document = read(path, shown_as="file.yaml")
    assert document.problems == []
    return document.data["key"]


def fault_of(folder: Path, text: str) -> tuple[str | None, int | None, str]:
    path = folder / "file.yaml"
    path.write_text(text)
    (problem,) = read(path, shown_as="file.yaml").problems
    return problem.rule, problem.line, problem.message


def test_this_environments_parser_is_the_fast_one() -> None:
    assert yaml.__with_libyaml__


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("Yes", "Yes"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("12:30:45", "12:30:45"),
        ("1:30", "1:30"),
        ("02:1a:b0:01:02:00", "02:1a:b0:01:02:00"),
        ("2026-11-28", "2026-11-28"),
        ("2026-11-28T00:23:16Z", "2026-11-28T00:23:16Z"),
        ("1_000", "1_000"),
        ("0x1f", "0x1f"),
        ("010", 10),
        ("-7", -7),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("1.2.3", "1.2.3"),
        (".inf", ".inf"),
        ("=", "="),
        ("'5'", "5"),
        ('"true"', "true"),
        ("|\n  5\n", "5\n"),
        ("[1, a, [true]]", [1, "a", [True]]),
        ("{a: 1, b: {c: no}}", {"a": 1, "b": {"c": "no"}}),
    ],
)
def test_a_value_is_what_the_core_schema_says(tmp_path: Path, text: str, value: object) -> None:
    found = value_of(tmp_path, text)
    assert (found, type(found)) == (value, type(value))


def test_each_key_and_item_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_text("a: 1\nb:\n  - c: 2\n    d: |\n      text\n  - [x,\n     y]\n")
    places = read(path, shown_as="file.yaml", prefix=("top",)).places
    lines: dict[Location, int] = {at: place.line for at, place in places.items()}
    assert lines == {
        ("top", "a"): 1,
        ("top", "b"): 2,
        ("top", "b", 0): 3,
        ("top", "b", 0, "c"): 3,
        ("top", "b", 0, "d"): 4,
        ("top", "b", 1): 6,
        ("top", "b", 1, 0): 6,
        ("top", "b", 1, 1): 7,
    }


def test_an_alias_stands_for_what_its_anchor_names_and_nothing_is_merged(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_text("a: &one {b: 1}\nc: *one\nd:\n  <<: *one\n")
    document = read(path, shown_as="file.yaml")
    assert document.data == {"a": {"b": 1}, "c": {"b": 1}, "d": {"<<": {"b": 1}}}
    assert document.places[("d", "<<")].line == 4


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: 1\nb: 2\na: 3\n", ("yaml-key-duplicate", 3, "the same key stands twice in one mapping")),
        ("a: {b: 1, b: 2}\n", ("yaml-key-duplicate", 1, "the same key stands twice in one mapping")),
        ("a:\nb: 2\na:\n", ("yaml-key-duplicate", 3, "the same key stands twice in one mapping")),
        ("- a\n", ("yaml-not-mapping", 1, "the file is not a mapping of keys to values")),
        ("a: 1\n? [b]\n: 2\n", ("yaml-key", 2, "a key is not a plain word")),
        ("a: 1\nb: 'hunter2\n", ("yaml-syntax", 3, "")),
        ("a: 1\nb: *hunter2\n", ("yaml-syntax", 2, "")),
        ("a: 1\nb: @hunter2\n", ("yaml-syntax", 2, "")),
        ("a: 1\n---\nb: 1\n", ("yaml-syntax", 2, "")),
        ("a: 1\nb: c: hunter2\n", ("yaml-syntax", 2, "")),
        ("a: \x00\n", ("yaml-syntax", 1, "this is not YAML: a character that YAML does not allow")),
        ("a: 1\nb: !!binary hunter2\n", ("yaml-tag", 2, "")),
        ("a: 1\nb: !hunter2 c\n", ("yaml-tag", 2, "")),
        ("a: &a [*a]\n", ("yaml-syntax", 1, "")),
        # Nested too deep for either parser.
        ("a: " + "[" * 3000 + "]" * 3000, ("yaml-syntax", 1, "")),
    ],
)
def test_a_fault_is_told_with_its_line_and_without_a_secret(
    tmp_path: Path, text: str, fault: tuple[str, int, str]
) -> None:
    rule, line, message = fault_of(tmp_path, text)
    assert (rule, line) == fault[:2]
    assert message.startswith(fault[2])
    assert "hunter2" not in message


@pytest.mark.parametrize("is_folder", [True, False])
def test_what_cannot_be_read_is_a_fault_of_the_file_and_not_an_end(tmp_path: Path, is_folder: bool) -> None:
    path = tmp_path / "racks.yaml"
    if is_folder:
        path.mkdir()
    else:
        path.symlink_to("gone.yaml")
    (problem,) = read(path, shown_as="racks.yaml").problems
    assert (problem.rule, problem.file) == ("yaml-unreadable", "racks.yaml")
    assert problem.found == ("Is a directory" if is_folder else "No such file or directory")


def test_text_of_another_encoding_is_a_fault_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_bytes(b"a: \xff\n")
    (problem,) = read(path, shown_as="file.yaml").problems
    assert problem.message == "this is not YAML: the file is not UTF-8"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(REGIONS)))
def test_a_file_of_the_regions_says_the_same_to_another_reader_of_yaml_1_2(path: Path) -> None:
    document = read(path, shown_as="file.yaml")
    assert document.problems == []
    assert document.data == YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
