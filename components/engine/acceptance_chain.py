"""What an acceptance ledger holds so far, and the entry that comes next.

Owns numbering, the two chains and the rule of what adds nothing. A serial number has lives: `repaired` begins a new
one, in which everything is shown anew and the acceptance is a `re-accepted`.
"""

from __future__ import annotations

from collections.abc import Mapping

from components.engine.acceptance import JSON, AcceptanceEvent, Entry, Line, canonical, digest, genesis

_ONCE = frozenset({AcceptanceEvent.ACCEPTED, AcceptanceEvent.RE_ACCEPTED})
"""Said once a life, whatever the evidence of a later check is."""


class Chain:
    """The ledger of one region in the memory of its one writer."""

    def __init__(self, region: str) -> None:
        self.number = 0
        self.head = genesis(region)
        self._last: dict[str, str] = {}
        self._life: dict[tuple[str, AcceptanceEvent], str] = {}
        self._repaired: set[str] = set()

    def knows(self, serial: str) -> bool:
        """Whether the serial number has an entry."""
        return serial in self._last

    def add(self, line: Line) -> Entry:
        """Take what is recorded already. Raises ValueError for a line that does not follow."""
        entry = Entry.of(line.body)
        if (entry.number, entry.previous) != (self.number + 1, self.head):
            raise ValueError(f"entry {entry.number} does not follow entry {self.number}")
        self._take(entry, line.digest)
        return entry

    def extend(
        self,
        *,
        at_ms: int,
        serial: str,
        device: str,
        event: AcceptanceEvent,
        evidence: Mapping[str, JSON],
        requirement: str | None,
    ) -> Line | None:
        """The line to write, or None where it would say nothing new. Raises RegionError for bad evidence."""
        if event is AcceptanceEvent.ACCEPTED and serial in self._repaired:
            event = AcceptanceEvent.RE_ACCEPTED
        if self._life.get((serial, event)) == _said(event, device, evidence, requirement):
            return None
        entry = Entry(
            number=self.number + 1,
            at_ms=at_ms,
            serial=serial,
            device=device,
            event=event,
            requirement=requirement,
            evidence=evidence,
            previous=self.head,
            before=self._last.get(serial),
        )
        line = Line.of(entry)
        self._take(entry, line.digest)
        return line

    def _take(self, entry: Entry, written: str) -> None:
        self.number, self.head = entry.number, written
        self._last[entry.serial] = written
        if entry.event is AcceptanceEvent.REPAIRED:
            self._repaired.add(entry.serial)
            for event in AcceptanceEvent:
                self._life.pop((entry.serial, event), None)
        self._life[entry.serial, entry.event] = _said(entry.event, entry.device, entry.evidence, entry.requirement)


def _said(event: AcceptanceEvent, device: str, evidence: Mapping[str, JSON], requirement: str | None) -> str:
    if event in _ONCE:
        return ""
    return digest(canonical({"device": device, "evidence": evidence, "requirement": requirement}))
