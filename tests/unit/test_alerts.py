"""Alerts and dashboards: every expression parses and asks for series that are measured; every alert has its runbook."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from ruamel.yaml import YAML

from components.plan.alerts import ALERTS, group, prometheus_rule
from components.plan.dashboards import BOARDS, board_json
from components.plan.measured import SERIES

ROOT = Path(__file__).parents[2]
EXPRESSIONS = {alert.name: alert.expression for alert in ALERTS} | {
    f"{board.title}: {panel.title} {number}": expression.replace("$tenant", "demo")
    for board in BOARDS
    for panel in board.panels
    for number, (expression, _) in enumerate(panel.expressions)
}


def selectors(expression: str) -> Iterator[Any]:
    """Every series that an expression asks for."""
    waiting: list[Any] = [promql_parser.parse(expression)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, promql_parser.VectorSelector):
            yield node
            continue
        parts = (getattr(node, name, None) for name in ("expr", "lhs", "rhs", "vector_selector", "args", "param"))
        for part in parts:
            waiting += part if isinstance(part, list) else [part] if part is not None else []


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_expression_asks_only_for_series_and_labels_that_are_measured(name: str) -> None:
    found = list(selectors(EXPRESSIONS[name]))
    assert found, "an expression without a series is always the same"
    for selector in found:
        assert selector.name in SERIES, f"{selector.name} is in no row of components/plan/measured.py"
        asked = {matcher.name for matcher in selector.matchers.matchers} - {"__name__"}
        assert asked <= SERIES[selector.name].labels, selector.name


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_rows_are_grouped_by_labels_that_the_series_have(name: str) -> None:
    expression = EXPRESSIONS[name]
    made = set(re.findall(r'label_replace\([^"]*"(\w+)"', expression)) | set(
        re.findall(r',\s*"(\w+)", "\$1"', expression)
    )
    known = made.union(*(SERIES[s.name].labels for s in selectors(expression)))
    grouped = {
        label.strip() for labels in re.findall(r"\b(?:by|on) \(([^)]*)\)", expression) for label in labels.split(",")
    }
    assert grouped <= known


def test_an_expression_that_is_wrong_is_found() -> None:
    with pytest.raises(ValueError, match="unclosed left parenthesis"):
        promql_parser.parse("sum by (tenant (rate(up[5m]))")
    assert [s.name for s in selectors("rate(nobody_measures_this[5m]) / up")] != ["up"]


def test_every_alert_is_told_apart_and_has_its_runbook() -> None:
    assert len({alert.name for alert in ALERTS}) == len(ALERTS)
    missing = [a.name for a in ALERTS if not (ROOT / "docs" / "runbooks" / f"{a.runbook}.md").is_file()]
    assert not missing


def test_what_an_alert_says_names_labels_that_its_rows_have() -> None:
    for alert in ALERTS:
        by = {
            label.strip() for labels in re.findall(r"by \(([^)]*)\)", alert.expression) for label in labels.split(",")
        }
        assert set(re.findall(r"\$labels\.(\w+)", alert.says)) <= by, alert.name


def test_the_issue_s_five_symptoms_have_an_alert() -> None:
    assert {"ServiceDoesNotWake", "QueueStuck", "QuotaExhausted", "EdgeUnhealthy", "BudgetReached"} <= {
        alert.name for alert in ALERTS
    }


def test_rules_have_the_shape_that_prometheus_reads(tmp_path: Path) -> None:
    document = {"groups": [group("lab")]}
    assert prometheus_rule("lab")["spec"] == document
    for rule in document["groups"][0]["rules"]:
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
        assert re.fullmatch(r"\d+m", rule["for"])
        assert rule["annotations"]["runbook_url"].startswith("docs/runbooks/")
    if promtool := shutil.which("promtool"):
        with (tmp_path / "rules.yaml").open("w") as file:
            YAML(typ="safe", pure=True).dump(document, file)
        subprocess.run([promtool, "check", "rules", str(tmp_path / "rules.yaml")], check=True)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_a_dashboard_is_whole(board: Any) -> None:
    document = board_json(board)
    panels = document["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({panel["title"] for panel in panels}) == len(panels)
    for panel in panels:
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"]) > 0
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
    cells = [
        (x, y)
        for p in panels
        for x in range(p["gridPos"]["x"], p["gridPos"]["x"] + p["gridPos"]["w"])
        for y in range(p["gridPos"]["y"], p["gridPos"]["y"] + p["gridPos"]["h"])
    ]
    assert len(set(cells)) == len(cells), "no panel lies on another"
    variables = {each["name"] for each in document["templating"]["list"]}
    assert set(re.findall(r"\$\{?(\w+)", json.dumps(document))) <= variables


def test_dashboards_have_names_of_their_own_and_stand_in_the_docs() -> None:
    assert len({board.uid for board in BOARDS}) == len(BOARDS)
    for board in BOARDS:
        path = ROOT / "docs" / "dashboards" / f"{board.uid}.json"
        assert json.loads(path.read_text()) == board_json(board), "python docs/generate.py"
