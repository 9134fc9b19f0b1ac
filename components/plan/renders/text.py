"""Plain data as YAML and JSON text.

A region renders to hundreds of thousands of lines, so this writes block YAML of mappings, sequences and
scalars and nothing else; tests hold it to a YAML library. Order is the caller's: the same plan gives the
same bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, cast

_PLAIN = re.compile(r"[A-Za-z_/](?:[\w./@ -]*[\w./@-])?|[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:/[0-9]{1,2})?")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
"""What YAML 1.1 or 1.2 would read as something other than text."""

_BLOCKS = (dict, list, tuple)


class Word(str):
    """Text that is written as it is: `on` of NVUE, which a YAML 1.1 reader takes for true."""

    __slots__ = ()


ON: Final = Word("on")


class Block:
    """A mapping, not empty, that many documents hold: written once for each depth that it stands at."""

    __slots__ = ("_tree", "_written")

    def __init__(self, tree: Mapping[str, Any]) -> None:
        self._tree = tree
        self._written: dict[str, str] = {}

    def text(self, indent: str) -> str:
        """Its lines at a depth."""
        if indent not in self._written:
            lines: list[str] = []
            _write(self._tree, indent, lines)
            self._written[indent] = "\n".join(lines)
        return self._written[indent]


def yaml_text(*documents: Mapping[str, Any] | Sequence[Any]) -> str:
    """Block YAML of each document."""
    lines: list[str] = []
    for number, document in enumerate(documents):
        if number:
            lines.append("---")
        _write(document, "", lines)
    lines.append("")
    return "\n".join(lines)


def json_text(document: object) -> str:
    """JSON with one key a line."""
    return json.dumps(document, indent=1, default=str) + "\n"


def _write(value: Any, indent: str, lines: list[str]) -> None:
    # One list for all depths: handing each line up through a generator of every depth took four times as long.
    # Text and numbers first, by their very type: nearly all that is written is one of them.
    inner: Any
    if isinstance(value, dict):
        pairs = cast("dict[str, Any]", value)
        deeper = f"{indent}  "
        for key, inner in pairs.items():
            kind = inner.__class__
            if kind is str:
                lines.append(f"{indent}{_scalar(key)}: {_scalar(inner)}")
            elif kind is int:
                lines.append(f"{indent}{_scalar(key)}: {inner}")
            elif kind is Block:
                lines.append(f"{indent}{_scalar(key)}:\n{inner.text(deeper)}")
            elif not inner or not isinstance(inner, _BLOCKS):
                lines.append(f"{indent}{_scalar(key)}: {_leaf(inner)}")
            else:
                lines.append(f"{indent}{_scalar(key)}:")
                # Items of a sequence stand at their key's own depth, as kubectl and NVUE write them.
                _write(inner, deeper if isinstance(inner, dict) else indent, lines)
        return
    for inner in value:
        if not inner or not isinstance(inner, _BLOCKS):
            lines.append(f"{indent}- {_leaf(inner)}")
            continue
        first = len(lines)
        _write(inner, f"{indent}  ", lines)
        lines[first] = f"{indent}- {lines[first][len(indent) + 2 :]}"


def _leaf(value: object) -> str:
    if isinstance(value, str):
        return _scalar(value)
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, (list, tuple)):
        return "[]"
    return json.dumps(value)


@lru_cache(maxsize=65536)
def _scalar(text: str) -> str:
    if isinstance(text, Word):
        return str(text)
    return text if _PLAIN.fullmatch(text) and text.lower() not in _WORDS else json.dumps(text)
