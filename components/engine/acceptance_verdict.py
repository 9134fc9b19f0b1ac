"""Whether an acceptance ledger is whole: pure, from the bytes of its objects.

Owns what each kind of damage is called: a changed byte, an entry that is missing, one out of its place, a tail that was
cut off. Each fault names the object, the entry and the serial number, as far as what is left tells them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from components.engine.acceptance import DIGITS, AcceptanceEvent, Entry, Line, digest, genesis

_SERIAL = re.compile(rb'"serial":"([^"\\]*)"')


@dataclass(frozen=True)
class Anchor:
    """A head that was seen once and must still be there: `512:9f86d08...`."""

    number: int
    digest: str

    @classmethod
    def read(cls, text: str) -> Anchor:
        """Raises ValueError for what is no anchor."""
        number, _, written = text.strip().partition(":")
        if not number.isdecimal() or not re.fullmatch(r"[0-9a-f]{64}", written):
            raise ValueError("an anchor is the number of an entry, a colon and its digest")
        return cls(int(number), written)

    def __str__(self) -> str:
        return f"{self.number}:{self.digest}"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that is not as it was written."""

    object: str
    """Name of the object that it stands in, or should."""
    number: int | None
    serial: str | None
    """As far as it can be read."""
    message: str

    def __str__(self) -> str:
        entry = "" if self.number is None else f", entry {self.number}"
        return f"{self.object}{entry}" + (f", serial {self.serial}" if self.serial else "") + f": {self.message}"


@dataclass
class Verdict:
    """What a ledger holds and what is wrong with it."""

    entries: int = 0
    head: Anchor | None = None
    """The last entry; None of an empty ledger."""
    events: Counter[AcceptanceEvent] = field(default_factory=Counter[AcceptanceEvent])
    serials: set[str] = field(default_factory=set[str])
    faults: list[Fault] = field(default_factory=list[Fault])


@dataclass(frozen=True)
class _Place:
    object: str
    number: int
    line: Line
    entry: Entry | None
    """None where the line's digest is not that of its body: then nothing in it is believed."""

    @property
    def digests(self) -> frozenset[str]:
        """What others may call it by: as written, and of what stands there."""
        return frozenset({self.line.digest, digest(self.line.body)} if self.entry is None else {self.line.digest})


def judge(objects: Iterable[tuple[str, bytes]], region: str, anchor: Anchor | None = None) -> Verdict:
    """Look at every byte. `objects` are name and content in order; `anchor` is a head that was noted elsewhere."""
    verdict = Verdict()
    places = _read(objects, verdict)
    _check_order(places, verdict)
    by_number = {place.number: place for place in places}
    _check_chains(by_number, genesis(region), verdict)
    if places:
        last = by_number[max(by_number)]
        verdict.head = Anchor(last.number, last.line.digest)
    _check_anchor(by_number, anchor, verdict)
    return verdict


def _read(objects: Iterable[tuple[str, bytes]], verdict: Verdict) -> list[_Place]:
    places: list[_Place] = []
    for name, content in objects:
        *texts, rest = content.split(b"\n")
        if rest or not content:
            verdict.faults.append(_fault(name, None, rest, "its last line is cut off" if rest else "it is empty"))
        for text in texts:
            expected = places[-1].number + 1 if places else 1
            line, entry = _look_at(text)
            place = _Place(name, entry.number if entry else expected, line, entry)
            places.append(place)
            verdict.entries += 1
            if entry:
                verdict.events[entry.event] += 1
                verdict.serials.add(entry.serial)
    return places


def _look_at(text: bytes) -> tuple[Line, Entry | None]:
    """A line, and its entry if all of it is in order."""
    try:
        line = Line.read(text)
        return line, Entry.of(line.body) if digest(line.body) == line.digest else None
    except ValueError:
        # The body of a line that is out of form may still be good: the entry after it tells.
        return Line(text[:DIGITS].decode(errors="replace"), text[DIGITS + 1 :]), None


def _check_order(places: list[_Place], verdict: Verdict) -> None:
    seen: dict[int, _Place] = {}
    highest = 0
    for place in places:
        if place.number in seen:
            first = seen[place.number].object
            verdict.faults.append(_of(place, f"there is another entry of this number, in {first}"))
        elif place.number < highest:
            verdict.faults.append(_of(place, f"it stands after entry {highest}: entries were put in another order"))
        seen.setdefault(place.number, place)
        highest = max(highest, place.number)
    expected = 1
    for number in sorted(seen):
        if number > expected:
            missing = f"entry {expected} is" if number == expected + 1 else f"entries {expected} to {number - 1} are"
            fault = Fault(object=seen[number].object, number=expected, serial=None, message=f"{missing} missing")
            verdict.faults.append(fault)
        expected = number + 1


def _check_chains(by_number: dict[int, _Place], first: str, verdict: Verdict) -> None:
    last: dict[str, frozenset[str]] = {}
    unread: set[str] = set()
    """Digests of damaged entries, whose serial is not believed."""
    for number in sorted(by_number):
        place = by_number[number]
        following = by_number.get(number + 1)
        entry = place.entry
        if entry is None:
            unread |= place.digests
            known_as = following.entry.previous if following and following.entry else None
            is_body_good = known_as == digest(place.line.body)
            what = "its digest, or the space after it, was changed" if is_body_good else "a byte of it was changed"
            verdict.faults.append(_of(place, what))
            continue
        before = by_number[number - 1].digests if number - 1 in by_number else None
        if number == 1:
            before = frozenset({first})
        if before is not None and entry.previous not in before:
            verdict.faults.append(_of(place, f"it does not follow entry {number - 1}: what came before was replaced"))
        mine = last.get(entry.serial, frozenset[str | None]({None}))
        if entry.before not in mine and entry.before not in unread:
            verdict.faults.append(_of(place, "the entry before it of the same serial number is not there"))
        last[entry.serial] = place.digests


def _check_anchor(by_number: dict[int, _Place], anchor: Anchor | None, verdict: Verdict) -> None:
    if anchor is None:
        return
    place = by_number.get(anchor.number)
    if place is None:
        ends = verdict.head.number if verdict.head else 0
        message = f"the ledger ends at entry {ends}, and entry {anchor.number} was seen: its tail was cut off"
        name = by_number[ends].object if ends else "the ledger"
        verdict.faults.append(Fault(object=name, number=anchor.number, serial=None, message=message))
    elif anchor.digest not in place.digests:
        verdict.faults.append(_of(place, "it is another entry than the one that was seen: the ledger was rewritten"))


def _of(place: _Place, message: str) -> Fault:
    return _fault(place.object, place.number, place.line.body, message)


def _fault(name: str, number: int | None, body: bytes, message: str) -> Fault:
    found = _SERIAL.search(body)
    serial = found[1].decode(errors="replace") if found else None
    return Fault(object=name, number=number, serial=serial, message=message)
