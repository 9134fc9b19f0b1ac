"""A dashboard and its panels, and what Grafana reads of them. Schema 39, which Grafana 10.2 and newer take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

SCHEMA = 39
COLUMNS = 24
"""Of Grafana's grid."""
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


class Unit(StrEnum):
    """Grafana's ids of units."""

    COUNT = "short"
    SECONDS = "s"
    RATE = "reqps"
    SHARE = "percentunit"
    BYTES_RATE = "Bps"
    EURO = "currencyEUR"
    TOKENS_RATE = "cps"
    STATE = "bool_on_off"


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One picture."""

    title: str
    about: str
    expressions: tuple[tuple[str, str], ...]
    """PromQL, and the name of its rows, in which labels stand in double braces."""
    unit: Unit
    kind: str = "timeseries"
    """`timeseries`, `stat` or `table`."""
    width: int = 12
    most: float | None = None
    """Top of the scale, where there is one."""


@dataclass(frozen=True, kw_only=True)
class Board:
    """One dashboard."""

    uid: str
    """Stable: links lead here."""
    title: str
    about: str
    panels: tuple[Panel, ...]
    by_tenant: bool = False
    """Whether it shows one tenant, chosen above."""


def board_json(board: Board) -> dict[str, Any]:
    """What Grafana reads."""
    return {
        "uid": board.uid,
        "title": board.title,
        "description": board.about,
        "tags": ["gpuregion"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "utc",
        "templating": {"list": list(_variables(board))},
        "panels": list(_panels(board)),
    }


def _variables(board: Board) -> Iterator[dict[str, Any]]:
    yield {"name": "datasource", "label": "metering", "type": "datasource", "query": "prometheus"}
    if board.by_tenant:
        query = "label_values(kube_pod_labels, tenant)"
        yield {
            "name": "tenant",
            "label": "tenant",
            "type": "query",
            "datasource": DATASOURCE,
            "query": {"query": query, "refId": "tenants"},
            "definition": query,
            "refresh": 2,
            "sort": 1,
        }


def _panels(board: Board) -> Iterator[dict[str, Any]]:
    x = y = 0
    for number, panel in enumerate(board.panels, start=1):
        height = 4 if panel.kind == "stat" else 8
        if x + panel.width > COLUMNS:
            x, y = 0, y + height
        yield _panel(panel, number, {"x": x, "y": y, "w": panel.width, "h": height})
        x += panel.width
        if x == COLUMNS:
            x, y = 0, y + height


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    bounds: dict[str, Any] = {"min": 0} | ({"max": panel.most} if panel.most is not None else {})
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": DATASOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit.value, **bounds}, "overrides": []},
        "options": {"reduceOptions": {"calcs": ["lastNotNull"]}} if panel.kind == "stat" else {},
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "expr": expression,
                "legendFormat": name,
                "datasource": DATASOURCE,
                **({"format": "table", "instant": True} if panel.kind == "table" else {}),
            }
            for place, (expression, name) in enumerate(panel.expressions)
        ],
    }
