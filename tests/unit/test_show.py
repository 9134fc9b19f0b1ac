"""`region show`: one screen at any size, numbers for programs, a page for a browser."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from components.errors import SpecError
from components.plan import RegionPlan
from components.plan.page import summary_data
from components.plan.summary import summary
from stacks.cli.main import app
from stacks.cli.screen import screen
from tests.pages import region_plan


@pytest.fixture(scope="module")
def essonne() -> RegionPlan:
    return region_plan("essonne")


def seen(plan: RegionPlan, width: int = 140) -> str:
    text = io.StringIO()
    Console(file=text, width=width).print(screen(plan), highlight=False)
    return text.getvalue()


def test_a_region_of_any_size_fits_on_one_screen(lab_plan: RegionPlan, essonne: RegionPlan) -> None:
    for plan in (lab_plan, essonne):
        assert len(seen(plan).splitlines()) <= 60
    assert "ess-r001" not in seen(essonne), "racks are counted, not listed"


def test_the_screen_says_what_there_is(essonne: RegionPlan) -> None:
    text = seen(essonne)
    for fact in (
        "18,000 GPUs, 16,000 in service, 250 NVLink domains",
        "4,003 nodes, 500 spare; 0 received",
        "39,716 of 40,000 kW",
        "with 1 feed lost the others carry 40,200 kW",
        "1,024 leaves, 768 spines, 288 cores",
        "chat",
        "http://mistral-large.chat.essonne.internal/",
    ):
        assert fact in text, fact


def test_numbers_add_up(essonne: RegionPlan) -> None:
    whole = summary(essonne)
    assert sum(hall.gpus for hall in whole.halls) == whole.numbers.gpus == 18_000
    assert sum(hall.racks for hall in whole.halls) == whole.numbers.racks
    assert sum(profile.trays for profile in whole.profiles) == whole.numbers.trays
    assert sum(island.gpus for island in whole.islands) == whole.numbers.gpus
    assert sum(cluster.nodes for cluster in whole.clusters) == whole.numbers.nodes
    feeds = whole.of_level("feed")
    assert sum(feed.kw for feed in feeds) == pytest.approx(whole.of_level("site")[0].kw)
    assert all(line.kw <= line.budget_kw for line in whole.power)


def test_a_region_that_is_not_settled_says_so() -> None:
    assert "provisional" in seen(region_plan("sweden"))


def test_programs_get_the_same_numbers(lab_plan: RegionPlan) -> None:
    result = CliRunner().invoke(app, ["show", "lab", "--format", "json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["schema"] == 1
    assert found["numbers"] == json.loads(json.dumps(summary_data(lab_plan)))["numbers"]
    assert json.loads(CliRunner().invoke(app, ["show", "lab", "--json"]).stdout) == found


@pytest.mark.parametrize(("form", "begins"), [("html", "<!doctype html>"), ("text", "lab  lab, FR"), ("json", "{")])
def test_each_form_can_go_to_a_file(form: str, begins: str, tmp_path: Path) -> None:
    out = tmp_path / "lab.out"
    result = CliRunner().invoke(app, ["show", "lab", "--format", form, "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert out.read_text().startswith(begins)
    assert result.stdout == "", "what it is goes to the file alone"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["show", "lab", "--format", "html", "--out", str(tmp_path / "no" / "x.html")])
    assert isinstance(result.exception, SpecError)
    assert str(tmp_path / "no") in str(result.exception)
