"""What a preview asks of a rack: is it well described, and what does a change do to which tray. Pure.

Owns the words of a difference. What a change means is plan/actions/racks.py's, doing it rack.py's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.errors import Problem
from components.plan.actions.racks import rack_actions
from components.provider.handler import Change, Properties
from components.provider.rack_inputs import check_inputs


class RackPreview:
    """Implements provider.handler.Previewed."""

    token = "gpuregion:baremetal:Rack"  # noqa: S105 - a resource type

    def check(self, inputs: Properties) -> list[Problem]:
        """All problems of the inputs; pure."""
        return check_inputs(inputs)

    def diff(self, old: Properties, new: Properties) -> list[Change]:
        """What is done to which tray, and why; pure."""
        if old.get("rack") != new["rack"]:
            return [Change(key="rack", text=f"another rack: {old.get('rack')} -> {new['rack']}", replaces=True)]
        key = "image" if old.get("image") != new["image"] and old.get("trays") == new["trays"] else "trays"
        changes = [Change(key=key, text=str(action)) for action in rack_actions(old, new)]
        named = {change.key for change in changes}
        # Also what moves nothing must reach the record, else the next preview shows it again.
        rest = [k for k in sorted({*old, *new}) if old.get(k) != new.get(k) and k not in named]
        return [*changes, *(Change(key=k, text=_differs(k, old.get(k), new.get(k))) for k in rest)]

    def unfinished(self, inputs: Properties, outputs: Properties) -> list[Change]:
        """What an earlier run, or a look at the rack, recorded as left to do."""
        recorded: Mapping[str, Any] = outputs.get("trays") or {}
        return [
            Change(key="trays", text=f"{name}: {tray['left']}: it is `{tray['state']}`")
            for name, tray in recorded.items()
            if name in inputs["trays"] and tray.get("left")
        ]


def _differs(key: str, old: object, new: object) -> str:
    values = f" from {old} to {new}" if isinstance(old, str | int) and isinstance(new, str | int) else ""
    return f"{key} changes{values}"
