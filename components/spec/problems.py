"""Turns what pydantic rejects into problems that an operator can act on."""

from __future__ import annotations

import difflib
import re
import typing
from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from components.errors import Problem
from components.spec.position import Location, Positions

_SECRET_KEY = re.compile(r"pass|secret|token|key|credential|pki", re.IGNORECASE)

_TEXTS: Mapping[str, tuple[str, str]] = {
    "missing": ("key-missing", "a key is missing"),
    "extra_forbidden": ("key-unknown", "nothing has this key"),
    "literal_error": ("value-choice", "the value is none of the known ones"),
    "enum": ("value-choice", "the value is none of the known ones"),
    "greater_than_equal": ("value-range", "the value is too small"),
    "greater_than": ("value-range", "the value is too small"),
    "less_than_equal": ("value-range", "the value is too large"),
    "less_than": ("value-range", "the value is too large"),
    "too_short": ("value-range", "there are too few items"),
    "too_long": ("value-range", "there are too many items"),
    "string_pattern_mismatch": ("value-form", "the value does not have the right form"),
}
_TYPES = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "model_type": "a mapping of keys to values",
    "mapping_type": "a mapping of keys to values",
    "dict_type": "a mapping of keys to values",
}


def problems_of(
    error: ValidationError, model: type[BaseModel], positions: Positions, at: Location = ()
) -> Iterator[Problem]:
    """One problem for each thing that pydantic rejected; the model describes what is at this location."""
    for item in errors_of(error):
        inner: Location = tuple(item["loc"])
        location = (*at, *inner)
        kind: str = item["type"]
        context: dict[str, Any] = item.get("ctx", {})
        rule, message = _TEXTS.get(kind, ("value-type", "the value has the wrong type"))
        remedy: str | None = None
        allowed = _TYPES.get(kind)
        if "remedy" in context:
            rule, message = kind, item["msg"]
            allowed, remedy = context["allowed"], context["remedy"]
        elif kind == "missing":
            remedy = f"add `{location[-1]}`"
        elif kind == "extra_forbidden":
            allowed, remedy = _keys(model, inner)
        else:
            allowed = allowed or _allowed(context)
            is_bare = kind == "string_type" and isinstance(item["input"], (int, float))
            remedy = "put it in quotes" if is_bare else "correct the value"
        found = None if kind in ("missing", "extra_forbidden") else _shown(item["input"], location, rule)
        yield positions.problem(location, rule, message, found=found, allowed=allowed, remedy=remedy)


def errors_of(error: ValidationError) -> Iterator[ErrorDetails]:
    """What pydantic rejected, without the lists that it calls too short for having left out bad items."""
    for item in error.errors(include_url=False):
        if item["type"] == "too_short" and len(item["input"]) >= item.get("ctx", {}).get("min_length", 0):
            continue
        yield item


def is_secret(location: Location) -> bool:
    """Whether the value here may be a secret that somebody wrote by mistake."""
    return any(isinstance(step, str) and _SECRET_KEY.search(step) for step in location)


def _shown(value: object, location: Location, rule: str) -> str | None:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return f"a list of {len(typing.cast('list[object]', value))}"
    if value is None:
        return "nothing"
    if is_secret(location) or rule.startswith(("secret-", "url-with")):
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)[:100]


def _allowed(context: Mapping[str, Any]) -> str | None:
    for key, text in (
        ("expected", "{}"),
        ("ge", "at least {}"),
        ("gt", "more than {}"),
        ("le", "at most {}"),
        ("lt", "less than {}"),
        ("pattern", "the pattern {}"),
        ("min_length", "at least {}"),
        ("max_length", "at most {}"),
    ):
        if key in context:
            return text.format(context[key])
    return None


def _keys(model: type[BaseModel], location: Location) -> tuple[str | None, str]:
    """Known keys beside an unknown one, and the most probable intention."""
    owner = _model_at(model, location[:-1])
    known = list(owner.model_fields) if owner else []
    meant = meant_key(model, location)
    return ", ".join(known) or None, f"did you mean `{meant}`?" if meant else "remove it"


def is_stray(model: type[BaseModel], beside: Mapping[str, Any], key: str) -> bool:
    """Whether nothing has this key, and it is no misspelling of one that is missing beside it.

    What is meant by a misspelt key is not known: a rule that took the default would accuse what is right.
    """
    return key not in model.model_fields and meant_key(model, (key,)) in (None, *beside)


def meant_key(model: type[BaseModel], location: Location) -> str | None:
    """The known key that is most like an unknown one here; None where none is like it."""
    owner = _model_at(model, location[:-1])
    close = difflib.get_close_matches(str(location[-1]), list(owner.model_fields) if owner else [], n=1, cutoff=0.5)
    return close[0] if close else None


def _model_at(annotation: Any, location: Location) -> type[BaseModel] | None:
    """The model that describes this place, found by walking the annotations."""
    annotation = _bare(annotation)
    if not location:
        return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None
    step, rest = location[0], location[1:]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        known = annotation.model_fields.get(str(step))
        return _model_at(known.annotation, rest) if known else None
    arguments = get_args(annotation)
    if not arguments:
        return None
    return _model_at(arguments[0] if isinstance(step, int) else arguments[-1], rest)


def _bare(annotation: Any) -> Any:
    """The annotation without Annotated and without `| None`."""
    while True:
        origin = get_origin(annotation)
        if origin is typing.Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, UnionType):
            annotation = next(a for a in get_args(annotation) if a is not type(None))
        else:
            return annotation
