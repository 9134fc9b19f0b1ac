"""The one list of exports."""

from __future__ import annotations

from collections.abc import Mapping

from components.plan.renders import Render

EXPORTS: Mapping[str, Render] = {}
