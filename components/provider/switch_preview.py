"""What a preview asks of a group of switches: is it well described, and which lines and sessions differ. Pure.

Owns the words of a difference. What it means physically is plan/actions/switches.py's, doing it switch_config.py's.
"""

from __future__ import annotations

from components.engine import transaction_error as errors
from components.errors import Problem
from components.plan.actions.action import PhysicalAction, part
from components.plan.actions.switches import switch_actions
from components.plan.frr_sessions import without_secrets
from components.provider.handler import Change, Properties
from components.provider.switch_group import group_problems, read_group


class SwitchPreview:
    """Implements provider.handler.Previewed."""

    token = "gpuregion:network:SwitchConfig"  # noqa: S105 - a resource type

    def check(self, inputs: Properties) -> list[Problem]:
        """All problems of the inputs; pure."""
        return group_problems(inputs)

    def diff(self, old: Properties, new: Properties) -> list[Change]:
        """Which switch, which lines, and which sessions start again; pure."""
        return [
            *(Change(key="switches", text=_text(action)) for action in switch_actions(old, new)),
            *(Change(key="switches", text=text) for text in _expectation_changes(old, new)),
            *(
                Change(key=key, text=f"{key}: {old.get(key)} -> {new.get(key)}")
                for key in ("ssh", "confirm_in_s", "settle_s")
                if old.get(key) != new.get(key)
            ),
        ]

    def unfinished(self, inputs: Properties, outputs: Properties) -> list[Change]:
        """What a refresh found different on the switches; pure."""
        found = part(outputs, "switches")
        changes: list[Change] = []
        for name, desired in read_group(inputs).desired.items():
            seen = found.get(name, {})
            if drift := seen.get("drift"):
                lines = without_secrets("; ".join(errors.as_seen(line) for line in drift))
                changes.append(Change(key="switches", text=f"{name} was changed by hand: {lines}"))
            elif seen.get("config_sha256") != desired.sha256:
                changes.append(Change(key="switches", text=f"{name} does not have its configuration"))
        return changes


def _text(action: PhysicalAction) -> str:
    effect = f"; starts again: {', '.join(action.disrupts)}" if action.disrupts else ""
    return without_secrets("\n".join([f"{action}{effect}", *action.details]))


def _expectation_changes(old: Properties, new: Properties) -> list[str]:
    """What is looked at after a change; no device differs by it."""
    before, after = part(old, "switches"), part(new, "switches")
    return [
        f"{name}: {key}: {before[name].get(key)} -> {after[name].get(key)}"
        for name in sorted(before.keys() & after.keys())
        for key in ("expect_up", "may_be_down", "peers")
        if before[name].get(key) != after[name].get(key)
    ]
