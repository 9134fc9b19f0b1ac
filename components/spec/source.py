"""Reads YAML so that each value's file and line stay known.

Values follow YAML 1.2's core schema and nothing more: no tags, no merge keys, no sexagesimal numbers,
so that a MAC address or a version is what it looks like. The same key twice is a fault, not a choice.

PyYAML only parses here; what a scalar means is decided below. Its C parser reads a description of 10,000
services in seconds; where PyYAML was built without libyaml, its own one gives the same in minutes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import yaml
from yaml import MappingNode, MarkedYAMLError, Node, ScalarNode, YAMLError

from components.errors import Problem
from components.spec.position import Location, Position, text_of

LOADER: type[yaml.BaseLoader | yaml.CBaseLoader] = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""The C parser, where PyYAML has it. Base: it resolves nothing, all scalars are text."""

_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_QUOTED = re.compile(r"'[^'<][^']+'")
_CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


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
        node = cast(Node | None, yaml.compose(path.read_text(encoding="utf-8"), Loader=LOADER))
        if isinstance(node, MappingNode):
            document.data = _mapping(node, prefix, document)
        elif node is not None:
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
    except (YAMLError, UnicodeDecodeError, RecursionError) as error:
        document.problems.append(_syntax_problem(error, shown_as))
    except OSError as error:
        document.problems.append(
            Problem(
                path=shown_as,
                message="the file cannot be read",
                found=error.strerror,
                allowed="a file that whoever runs this may read",
                remedy=f"mend or remove {shown_as}",
                file=shown_as,
                rule="yaml-unreadable",
            )
        )
    return document


def _syntax_problem(error: Exception, file: str) -> Problem:
    line = None
    reason = "the file is not UTF-8"
    if isinstance(error, MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        parts = (error.context, error.problem)
        # What the parser quotes may be a secret: an unquoted password that begins with * is an alias to it.
        reason = _QUOTED.sub("a word", ", ".join(part for part in parts if part))
    elif isinstance(error, RecursionError):
        reason = "mappings and lists lie too deep in each other, or an alias stands within what it stands for"
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


def _mapping(node: MappingNode, at: Location, document: Document) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, ScalarNode):
            document.problems.append(_problem(document, at, line, "yaml-key", "a key is not a plain word"))
            continue
        key = key_node.value
        here = (*at, key)
        if key in found:
            document.problems.append(
                Problem(
                    path=text_of(here),
                    message="the same key stands twice in one mapping",
                    found=f"lines {document.places[here].line} and {line}",
                    allowed="each key once",
                    remedy="keep one of them",
                    file=document.file,
                    line=line,
                    rule="yaml-key-duplicate",
                )
            )
            continue
        document.places[here] = Position(document.file, line)
        found[key] = _value(value_node, here, document)
    return found


def _value(node: Node, at: Location, document: Document) -> Any:
    if isinstance(node, ScalarNode):
        if not _is_core(node.tag):
            # The tag itself is not repeated: an unquoted password may begin with an exclamation mark.
            fault = "text that begins with ! is a tag, which has no meaning here unless in quotes"
            document.problems.append(_problem(document, at, node.start_mark.line + 1, "yaml-tag", fault))
            return None
        # A quoted or block scalar is always text; only a plain one may be a number or a constant.
        return node.value if node.style else _plain(node.value)
    if isinstance(node, MappingNode):
        return _mapping(node, at, document)
    items: list[Any] = []
    children: list[Node] = node.value
    for index, item in enumerate(children):
        here = (*at, index)
        document.places[here] = Position(document.file, item.start_mark.line + 1)
        items.append(_value(item, here, document))
    return items


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
