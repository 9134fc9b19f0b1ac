"""What a preview asks of a playbook run: is it well described, and what makes another one necessary. Pure.

Owns the words of a difference. What makes a run necessary is plan/actions/playbooks.py's, the run playbook_run.py's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from components.errors import Problem
from components.plan.actions.playbooks import host_variables, playbook_actions
from components.provider.handler import Change, Properties

OK = "ok"
"""Of a host that is as the playbook leaves it."""
SETTINGS = ("ssh", "timeout_s")
"""How a run is done, not what it does: a change is recorded, and nothing is run for it."""
_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "playbook": str,
    "content": Mapping,
    "inventory": Mapping,
    "variables": Mapping,
    "file_variables": Mapping,
    "secret_variables": Mapping,
    "ssh": Mapping,
    "timeout_s": (int, float),
}


class PlaybookPreview:
    """Implements provider.handler.Previewed."""

    token = "gpuregion:ansible:PlaybookRun"  # noqa: S105 - a resource type

    def check(self, inputs: Properties) -> list[Problem]:
        """All problems of the inputs; pure."""
        problems = [
            Problem(path=key, message="is missing or of another kind", allowed=_name(kind))
            for key, kind in _KINDS.items()
            if not isinstance(inputs.get(key), kind)
        ]
        if problems:
            return problems
        if inputs["playbook"] not in inputs["content"]:
            problems.append(
                Problem(
                    path="content",
                    message="does not hold the playbook itself",
                    allowed=f"{inputs['playbook']} and each role it uses",
                    remedy="take it from components.clients.ansible.content_digest",
                )
            )
        if not host_variables(inputs):
            problems.append(Problem(path="inventory", message="has no host", remedy="give trays a role in racks.yaml"))
        return problems

    def diff(self, old: Properties, new: Properties) -> list[Change]:
        """What makes another run necessary, item by item, under the input that it belongs to; pure."""
        details = [detail for action in playbook_actions(old, new) for detail in action.details]
        changed = [key for key in sorted({*old, *new}) if old.get(key) != new.get(key)]
        run = f"run {new['playbook']}: {'; '.join(details)}"
        return [
            Change(key=key, text=run if details and key not in SETTINGS else f"{key} differs, nothing is run for it")
            for key in changed
        ]

    def unfinished(self, inputs: Properties, outputs: Properties) -> list[Change]:
        """Hosts that a refresh found otherwise than the playbook leaves them; pure."""
        states = cast("Mapping[str, str]", outputs.get("hosts") or {})
        return [
            Change(key="inventory", text=f"run {inputs['playbook']}: {host} is {state}")
            for host, state in sorted(states.items())
            if state != OK
        ]


def _name(kind: type | tuple[type, ...]) -> str:
    names = {str: "a text", Mapping: "a mapping"}
    return names.get(kind, "a number") if isinstance(kind, type) else "a number"
