"""The JSON Schema that editors use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from components.plan.schema import profile_schema, schema
from tests.regions import REGIONS


def read(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(path.read_text())


@pytest.mark.parametrize("path", sorted((REGIONS / "lab").glob("*.yaml")), ids=lambda path: path.name)
def test_each_file_of_the_lab_fits_the_schema(path: Path) -> None:
    jsonschema.validate(read(path), schema())


def test_profiles_of_the_catalogue_fit_their_schema() -> None:
    for path in (REGIONS / "_catalogue").glob("*.yaml"):
        jsonschema.validate(read(path), profile_schema())


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
