"""Dashboards as code: Grafana's JSON for the platform, for one tenant, and for the edges.

Owns what is looked at. Does not own Grafana, nor the series (components/plan/measured.py).
"""

from components.plan.dashboards.boards import BOARDS
from components.plan.dashboards.panel import Board, Panel, Unit, board_json

__all__ = ["BOARDS", "Board", "Panel", "Unit", "board_json"]
