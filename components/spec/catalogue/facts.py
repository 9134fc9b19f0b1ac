"""The facts of an item: every value that evidence must stand for, by its dotted path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Union, cast, get_args, get_origin

from pydantic import BaseModel

from components.spec.catalogue.evidence import CatalogueItem, Evidence

_ABOUT = {"evidence", "unknown", "simulated", "provisional"}


@dataclass(frozen=True)
class Fact:
    """One value."""

    path: str
    """Dotted; items of a list share the path of their field."""
    value: Any
    place: tuple[str | int, ...]
    """From the item's top, with the indices of lists."""


def values(item: CatalogueItem) -> Iterator[Fact]:
    """All values that the item's file states; what is left to its default is nobody's statement."""
    dumped = item.model_dump(mode="json", exclude_unset=True, exclude=_ABOUT)
    yield from _walk(dumped, (), ())


def facts(item: CatalogueItem) -> Iterator[Fact]:
    """Those that need evidence: numbers, and the text that the item's kind says."""
    for value in values(item):
        is_number = isinstance(value.value, (int, float)) and not isinstance(value.value, bool)
        if is_number or (value.value is not None and any(covers(path, value.path) for path in item.text_facts)):
            yield value


def evidence_for(item: CatalogueItem, path: str) -> Evidence | None:
    """The entry with the longest path that stands for this one."""
    fitting = [entry for entry in item.evidence if covers(entry, path)]
    return item.evidence[max(fitting, key=len)] if fitting else None


def covers(prefix: str, path: str) -> bool:
    """Whether `path` is `prefix` or below it."""
    return path == prefix or path.startswith(f"{prefix}.")


def _walk(value: Any, path: tuple[str, ...], place: tuple[str | int, ...]) -> Iterator[Fact]:
    if isinstance(value, dict):
        for key, below in cast("dict[str, Any]", value).items():
            yield from _walk(below, (*path, key), (*place, key))
    elif isinstance(value, list):
        for index, below in enumerate(cast("list[Any]", value)):
            yield from _walk(below, path, (*place, index))
    else:
        yield Fact(".".join(path), value, place)


def has_field(model: type[BaseModel], path: str) -> bool:
    """Whether a file of this kind may hold something there; any key of a mapping may."""
    annotation: Any = model
    for step in path.split("."):
        annotation = _bare(annotation)
        if get_origin(annotation) is tuple:
            annotation = _bare(get_args(annotation)[0])
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return get_origin(annotation) is Mapping
        known = annotation.model_fields.get(step)
        if known is None:
            return False
        annotation = known.annotation
    return True


def _bare(annotation: Any) -> Any:
    """The annotation without Annotated and without `| None`."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, UnionType):
            annotation = next(a for a in get_args(annotation) if a is not type(None))
        else:
            return annotation
