"""`region cost`: a region's forecast for people, programs and spreadsheets."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from functools import cache

import pytest
from typer.testing import CliRunner

from components.plan.compile import compile_region
from components.plan.model import RegionPlan
from components.plan.pending import pending_index
from components.spec import load
from stacks.cli import cost as command
from stacks.cli.main import app
from tests.regions import REGIONS


@cache
def plan(name: str) -> RegionPlan:
    region = load(REGIONS / name, REGIONS / "_catalogue")
    return compile_region(region, pending_index(region))


@pytest.fixture(autouse=True)
def read_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Reading a region takes longer than all else."""
    monkeypatch.setattr(command, "load_hardware", plan)
    yield


def run(*words: str) -> str:
    found = CliRunner().invoke(app, ["cost", *words], env={"COLUMNS": "200"})
    assert found.exit_code == 0, found.output
    return found.output


def test_people_see_every_service_its_pool_and_what_the_figures_stand_on() -> None:
    shown = run("paris")
    assert "edge/mistral-medium" in shown
    assert "dgx-h200" in shown
    assert "expected: 20% of what is between floor and ceiling (the default, as none is declared)" in shown
    assert "placeholders that the operator sets: core, egress, gpu-b200" in shown


def test_a_missing_price_is_told() -> None:
    assert "warning: no price is set for the GPU-hour of NVIDIA Vera Rubin" in run("sweden")


def test_programs_get_sums_that_add_up() -> None:
    document = json.loads(run("paris", "--json"))
    assert (document["schema"], document["kind"], document["region"]) == (1, "cost-forecast", "paris")
    for key in ("floor", "expected", "ceiling"):
        total = sum(each["month"][key] for each in document["services"])
        assert document["month"][key] == pytest.approx(total, abs=0.005)
    assert [each["budget_state"] for each in document["tenants"]] == ["none"]


def test_spreadsheets_get_one_row_a_service() -> None:
    rows = list(csv.DictReader(io.StringIO(run("paris", "--csv"))))
    assert {row["service"] for row in rows} == {service.name for service in plan("paris").runtime.services}


def test_one_form_at_a_time() -> None:
    assert CliRunner().invoke(app, ["cost", "paris", "--json", "--csv"]).exit_code == 2
