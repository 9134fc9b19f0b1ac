"""What stands below a field in the code describes it in the JSON Schema, and costs nothing elsewhere."""

from __future__ import annotations

import inspect

import pytest
from pydantic import Field

from components.spec.base import Model


class Inner(Model):
    """A part."""

    size: int
    """How large,
    in bytes.
    """


class Outer(Model):
    """The whole."""

    inner: Inner
    """The part of it."""
    named: int = Field(default=1, alias="other-name")
    """Under another name in files."""
    told: int = Field(default=2, description="Told by hand.")
    """Never shown."""
    silent: int = 3


class Derived(Outer):
    """More than the whole."""

    more: int = 0
    """Its own."""


def test_each_field_is_described_by_what_stands_below_it() -> None:
    schema = Derived.model_json_schema()
    told = {name: each.get("description") for name, each in schema["properties"].items()}
    assert told == {
        "inner": "The part of it.",
        "other-name": "Under another name in files.",
        "told": "Told by hand.",
        "silent": None,
        "more": "Its own.",
    }
    assert schema["$defs"]["Inner"]["properties"]["size"]["description"] == "How large,\nin bytes."
    assert schema["description"] == "More than the whole."


def test_a_class_is_made_without_a_look_at_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("the source was read")

    monkeypatch.setattr(inspect, "getsource", refused)
    monkeypatch.setattr(inspect, "getsourcelines", refused)
    monkeypatch.setattr(inspect, "findsource", refused)
    made = type("Made", (Model,), {"__annotations__": {"a": int}, "__module__": __name__})
    assert made.model_validate({"a": 1}).model_dump() == {"a": 1}
