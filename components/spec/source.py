"""Reads YAML so that each value's file and line stay known.

Values follow YAML 1.2's core schema and nothing more: no tags, no merge keys, no sexagesimal numbers,
so that a MAC address or a version is what it looks like. The same key twice is a fault, not a choice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from components.errors import Problem
from components.spec.position import Location, Position, text_of

_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_QUOTED = re.compile(r"'[^'<][^']+'")
_CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class _Mark(Protocol):
    line: int


class _Node(Protocol):
    """A node of ruamel's, which carries no types of its own."""

    tag: object
    value: Any
    style: str | None
    start_mark: _Mark


@dataclass
class Document:
    """What one file says."""

    file: str
    data: dict[str, Any] = field(default_factory=dict[str, Any])
    places: dict[Location, Position] = field(default_factory=dict[Location, Position])
    problems: list[Problem] = field(default_factory=list[Problem])


def read(path: Path, *, shown_as: str, prefix: Location = ()) -> Document:
    """Read one file of a description; faults become problems of the document.

    `prefix` is where the file's content goes in the whole description.
    """
    document = Document(shown_as)
    try:
        node: _Node | None = YAML(typ="safe", pure=True).compose(path.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError) as error:
        document.problems.append(_syntax_problem(error, shown_as))
        return document
    if node is None:
        return document
    if not _is(node, MappingNode):
        document.problems.append(
            Problem(
                path=shown_as,
                message="the file is not a mapping of keys to values",
                allowed="`key: value` lines at the top",
                file=shown_as,
                line=node.start_mark.line + 1,
                rule="yaml-not-mapping",
            )
        )
        return document
    document.data = dict(_mapping(node, prefix, document))
    return document


def _syntax_problem(error: Exception, file: str) -> Problem:
    line = None
    reason = "the file is not UTF-8"
    if isinstance(error, MarkedYAMLError):
        marked: Any = error  # ruamel's errors carry no types
        mark: _Mark | None = marked.problem_mark or marked.context_mark
        line = mark.line + 1 if mark else None
        parts: tuple[str | None, ...] = (marked.context, marked.problem)
        # What ruamel quotes may be a secret: an unquoted password that begins with * is an alias to it.
        reason = _QUOTED.sub("a word", ", ".join(part for part in parts if part))
    elif isinstance(error, YAMLError):
        reason = "a character that YAML does not allow"
    return Problem(
        path=file,
        message=f"this is not YAML: {reason}",
        remedy="mend the line named, or the one before it; text that begins with a sign needs quotes",
        file=file,
        line=line or 1,
        rule="yaml-syntax",
    )


def _is(node: object, kind: type) -> bool:
    """As isinstance, without narrowing to a class that has no types."""
    return isinstance(node, kind)


def _mapping(node: _Node, at: Location, document: Document) -> Iterator[tuple[str, Any]]:
    seen: dict[str, int] = {}
    pairs: list[tuple[_Node, _Node]] = node.value
    for key_node, value_node in pairs:
        line = key_node.start_mark.line + 1
        if not _is(key_node, ScalarNode):
            document.problems.append(_problem(document, at, line, "yaml-key", "a key is not a plain word"))
            continue
        key: str = key_node.value
        here = (*at, key)
        if key in seen:
            document.problems.append(
                Problem(
                    path=text_of(here),
                    message="the same key stands twice in one mapping",
                    found=f"lines {seen[key]} and {line}",
                    allowed="each key once",
                    remedy="keep one of them",
                    file=document.file,
                    line=line,
                    rule="yaml-key-duplicate",
                )
            )
            continue
        seen[key] = line
        document.places[here] = Position(document.file, line)
        yield key, _value(value_node, here, document)


def _value(node: _Node, at: Location, document: Document) -> Any:
    line = node.start_mark.line + 1
    if _is(node, MappingNode):
        return dict(_mapping(node, at, document))
    if _is(node, SequenceNode):
        items: list[Any] = []
        nodes: list[_Node] = node.value
        for index, item in enumerate(nodes):
            here = (*at, index)
            document.places[here] = Position(document.file, item.start_mark.line + 1)
            items.append(_value(item, here, document))
        return items
    if not _is_core(str(node.tag)):
        # The tag itself is not repeated: an unquoted password may begin with an exclamation mark.
        fault = "text that begins with ! is a tag, which has no meaning here unless in quotes"
        document.problems.append(_problem(document, at, line, "yaml-tag", fault))
        return None
    # A quoted or block scalar is always text; only a plain one may be a number or a constant.
    return node.value if node.style else _plain(node.value)


def _is_core(tag: str) -> bool:
    return tag.startswith("tag:yaml.org,2002:") and tag.rpartition(":")[2] != "binary"


def _plain(text: str) -> Any:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _problem(document: Document, at: Location, line: int, rule: str, message: str) -> Problem:
    return Problem(
        path=text_of(at) or document.file,
        message=message,
        allowed="plain mappings, lists, text, numbers, true and false",
        file=document.file,
        line=line,
        rule=rule,
    )
