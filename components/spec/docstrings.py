"""What is written below an attribute of a class, for the JSON Schema."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from itertools import pairwise


def attribute_docstrings(cls: type, base: type) -> dict[str, str]:
    """Attribute -> its docstring, of a class and of those between it and its base."""
    found: dict[str, str] = {}
    for each in reversed(cls.__mro__):
        if issubclass(each, base):
            found |= dict(_own(each))
    return found


def _own(cls: type) -> Iterator[tuple[str, str]]:
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(tree, ast.ClassDef)  # noqa: S101  # what the source of a class is
    for field, below in pairwise(tree.body):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield name, inspect.cleandoc(text)
            case _:
                pass
