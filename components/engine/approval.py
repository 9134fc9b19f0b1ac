"""The physical actions that a person approved: a run that is given such a list does nothing else.

Owns the question and the refusal; asked by the journal, before it notes an intent. Where the list stands is
components/clients/approval.py's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from components.engine.action import Action
from components.errors import DeviceError, Problem
from components.plan.actions.action import ActionKind

FOLLOWS: Mapping[ActionKind, frozenset[ActionKind]] = MappingProxyType(
    {
        ActionKind.CONFIRM: frozenset({ActionKind.CONFIGURE}),
        ActionKind.ROLL_BACK: frozenset({ActionKind.CONFIGURE}),
        # A wipe leaves the machine on, and a spare is off.
        ActionKind.POWER_OFF: frozenset({ActionKind.CLEAN}),
    }
)
"""Steps of a run that no preview lists: approved with one of these on the same device."""


class NotApprovedError(DeviceError):
    """A run came upon an action that nobody approved. The device was not asked; to the others of its group it is
    a device that did not do it: what was begun is taken back."""


@dataclass(frozen=True)
class Approval:
    """What may be done, by stack."""

    allowed: Mapping[tuple[str, str], frozenset[str]]
    """(layer, device) -> kinds of action."""
    source: str
    """Where the list stands, for the refusal."""

    @classmethod
    def of(cls, actions: Iterable[tuple[str, str, str]], source: str) -> Approval:
        """From (layer, device, kind) of each action."""
        allowed: dict[tuple[str, str], set[str]] = defaultdict(set)
        for layer, target, kind in actions:
            allowed[(layer, target)].add(kind)
        return cls({key: frozenset(kinds) for key, kinds in allowed.items()}, source)

    def require(self, scope: str, action: Action) -> None:
        """Raise NotApprovedError unless the action is on the list. `scope` is the stack, `<region>.<layer>`."""
        kinds = self.allowed.get((scope.rpartition(".")[2], action.target), frozenset())
        if action.kind in kinds or kinds & FOLLOWS.get(action.kind, frozenset()):
            return
        raise NotApprovedError(
            "nothing is done that was not approved",
            [
                Problem(
                    path=action.target,
                    message=f"`{action.kind}` is not in the approved plan",
                    found=", ".join(sorted(kinds)) or "no action on this device",
                    allowed=f"what stands in {self.source}",
                    remedy="preview again with --save, look at what is new, and run `region up --plan` with that plan",
                    rule="not-approved",
                )
            ],
        )
