"""What stands in the journal's file of each action, in memory: read once, so that no action asks the disk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from components.engine.action import Action, Outcome

_GOOD = frozenset({Outcome.DONE, Outcome.OBSERVED})


class Known:
    """The intents without outcome, and the actions that are known to be done."""

    def __init__(self, rows: Iterable[tuple[int, str, str, str, str | None]]) -> None:
        """From (number, target, kind, digest, outcome) of all actions, oldest first."""
        self._open: dict[str, dict[int, tuple[str, str]]] = defaultdict(dict)
        """Target -> number of the intent -> (kind, digest)."""
        self._done: set[int] = set()
        """Hashes, because a region has hundreds of thousands. Two that are equal by chance would leave out a line that
        says of something that it was found done: a matter of history only."""
        for row, target, kind, digest, outcome in rows:
            if outcome is None:
                self._open[target][row] = (kind, digest)
            else:
                self._note((target, kind, digest), outcome)

    def pending(self, action: Action) -> int | None:
        """The newest intent of this action that has no outcome, if a run was killed or cancelled on it."""
        wanted = (action.kind, action.digest)
        return max((row for row, what in self._open.get(action.target, {}).items() if what == wanted), default=None)

    def open_on(self, target: str) -> list[tuple[int, str, str]]:
        """(number, kind, digest) of the intents on a device that have no outcome, oldest first."""
        return [(row, kind, digest) for row, (kind, digest) in sorted(self._open.get(target, {}).items())]

    def is_done(self, action: Action) -> bool:
        """Whether the newest outcome of this action is that it is done."""
        return hash((action.target, action.kind, action.digest)) in self._done

    def opened(self, row: int, action: Action) -> None:
        self._open[action.target][row] = (action.kind, action.digest)

    def concluded(self, row: int, action: Action, outcome: str) -> None:
        of_target = self._open.get(action.target, {})
        of_target.pop(row, None)
        if not of_target:
            self._open.pop(action.target, None)
        self._note((action.target, action.kind, action.digest), outcome)

    def _note(self, key: tuple[str, str, str], outcome: str) -> None:
        if outcome in _GOOD:
            self._done.add(hash(key))
        else:
            self._done.discard(hash(key))
