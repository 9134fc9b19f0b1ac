"""The JSON Schema that editors use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from components.plan.schema import schema
from components.spec.catalogue.schema import catalogue_schemas
from tests.regions import REGIONS


def read(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(path.read_text())


@pytest.mark.parametrize("path", sorted((REGIONS / "lab").glob("*.yaml")), ids=lambda path: path.name)
def test_each_file_of_the_lab_fits_the_schema(path: Path) -> None:
    jsonschema.validate(read(path), schema())


@pytest.mark.parametrize(
    "path", sorted((REGIONS / "_catalogue").rglob("*.yaml")), ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_each_file_of_the_catalogue_fits_its_schema(path: Path) -> None:
    schemas = catalogue_schemas()
    jsonschema.validate(read(path), schemas.get(path.name) or schemas[path.parent.name])


@pytest.mark.parametrize(
    ("where", "document"),
    [
        ("racks", {"profile": "x"}),
        ("switches", {"switch": "x", "kind": "token-ring"}),
        ("sources.yaml", {"S1": {"title": "without a place"}}),
        ("latency.yaml", {"latencies": [{"between": ["paris"], "planning_ms": 1}]}),
    ],
    ids=str,
)
def test_an_editor_underlines_what_the_catalogue_refuses(where: str, document: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, catalogue_schemas()[where])


@pytest.mark.parametrize(
    "document",
    [
        {"rakcs": []},
        {"region": "Not A Label"},
        {"credentials": {"bmc": "hunter2"}},
        {"fabric": {"switch_os": "ios"}},
        {"racks": []},
    ],
    ids=str,
)
def test_an_editor_underlines_what_the_loader_refuses(document: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema())


def test_every_field_of_the_description_is_explained_or_speaks_for_itself() -> None:
    """Units and reasons live in the models: an editor shows them where they are needed."""
    pools = schema()["$defs"]["Pools"]["properties"]
    assert "(rack id - 1)" in pools["slots_per_rack"]["description"]
