"""What people who run a region look at: alerts for Prometheus, vmalert or the Prometheus operator, boards for Grafana."""

from __future__ import annotations

from collections.abc import Iterator

from components.plan.alerts import group, prometheus_rule
from components.plan.dashboards import BOARDS, board_json
from components.plan.model import RegionPlan
from components.plan.renders.piece import Files, Piece
from components.plan.renders.text import json_text, yaml_text


def alerts(plan: RegionPlan) -> Iterator[Piece]:
    """`rules.yaml` and `prometheusrule.yaml`: the same rules, for the two ways to load them."""
    yield Piece("", (plan.region,), lambda: _alerts(plan.region))


def dashboards(plan: RegionPlan) -> Iterator[Piece]:
    """A file a dashboard. They are the same in every region."""
    yield Piece("", (), _dashboards)


def _alerts(region: str) -> Files:
    yield "rules.yaml", yaml_text({"groups": [group(region)]})
    yield "prometheusrule.yaml", yaml_text(prometheus_rule(region))


def _dashboards() -> Files:
    for board in BOARDS:
        yield f"{board.uid}.json", json_text(board_json(board))
