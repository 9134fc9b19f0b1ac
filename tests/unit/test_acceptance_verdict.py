"""What is wrong with a ledger is found and named: the object, the entry, the serial number."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from components.engine.acceptance import AcceptanceEvent
from components.engine.acceptance_chain import Chain
from components.engine.acceptance_verdict import Anchor, judge

REGION = "lab"
SERIALS, EVENTS = 6, (AcceptanceEvent.RACKED, AcceptanceEvent.MATCHED, AcceptanceEvent.HANDED_OVER)
Objects = list[tuple[str, bytes]]


def ledger(region: str = REGION) -> Objects:
    """18 entries in three objects: of each event the serials T0 to T5."""
    chain = Chain(region)
    objects: Objects = []
    for number, event in enumerate(EVENTS, 1):
        lines = [
            chain.extend(
                at_ms=1, serial=f"T{n}", device=f"lab-r001/{n}", event=event, evidence={"seen": "é"}, requirement=None
            )
            for n in range(SERIALS)
        ]
        objects.append((f"{number:06d}.ledger", b"".join(line.text() for line in lines if line)))
    return objects


def changed(objects: Objects, place: int, change: Callable[[list[bytes]], list[bytes]]) -> Objects:
    """The objects with the lines of one of them changed."""
    name, content = objects[place]
    return [*objects[:place], (name, b"".join(change(content.splitlines(keepends=True)))), *objects[place + 1 :]]


def faults(objects: Objects, anchor: Anchor | None = None) -> list[str]:
    return [str(fault) for fault in judge(objects, REGION, anchor).faults]


def test_a_whole_ledger_is_whole() -> None:
    found = judge(ledger(), REGION)
    assert (found.entries, len(found.serials), found.faults) == (18, 6, [])
    assert found.events == dict.fromkeys(EVENTS, 6)


def test_an_empty_ledger_is_whole() -> None:
    found = judge([], REGION)
    assert (found.entries, found.head, found.faults) == (0, None, [])


def test_every_single_flipped_bit_is_found_and_the_entry_named() -> None:
    objects = ledger()
    name, content = objects[1]
    lines = content.splitlines(keepends=True)
    ends = [sum(map(len, lines[: n + 1])) for n in range(len(lines))]
    chance = random.Random(7)  # noqa: S311 - a sample of all places, the same each time
    for at in chance.sample(range(len(content)), 400):
        damaged = bytearray(content)
        damaged[at] ^= 1 << chance.randrange(8)
        line = next(n for n, end in enumerate(ends) if at < end)
        found = judge([objects[0], (name, bytes(damaged)), objects[2]], REGION).faults
        assert found, f"byte {at}"
        assert {fault.object for fault in found} <= {name, objects[2][0]}, f"byte {at}: {found}"
        # a flipped line end makes one line of two: the second is missing then
        assert {7 + line, 8 + line} & {fault.number for fault in found}, f"byte {at}: {found}"


def test_a_changed_byte_names_object_entry_and_serial() -> None:
    damaged = changed(ledger(), 1, lambda ls: [*ls[:3], ls[3].replace(b"lab-r001/3", b"lab-r001/4"), *ls[4:]])
    assert faults(damaged) == ["000002.ledger, entry 10, serial T3: a byte of it was changed"]


def test_a_changed_digest_is_told_apart_from_a_changed_entry() -> None:
    damaged = changed(ledger(), 0, lambda ls: [(b"1" if ls[0][:1] == b"0" else b"0") + ls[0][1:], *ls[1:]])
    assert faults(damaged) == ["000001.ledger, entry 1, serial T0: its digest, or the space after it, was changed"]


def one_removed(lines: list[bytes]) -> list[bytes]:
    return [*lines[:2], *lines[3:]]


def two_swapped(lines: list[bytes]) -> list[bytes]:
    return [*lines[:2], lines[3], lines[2], *lines[4:]]


def one_twice(lines: list[bytes]) -> list[bytes]:
    return [*lines[:2], lines[1], *lines[2:]]


def last_cut(lines: list[bytes]) -> list[bytes]:
    return [*lines[:5], lines[5][:70]]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            one_removed,
            [
                "000002.ledger, entry 9: entry 9 is missing",
                "000003.ledger, entry 15, serial T2: the entry before it of the same serial number is not there",
            ],
        ),
        (
            two_swapped,
            ["000002.ledger, entry 9, serial T2: it stands after entry 10: entries were put in another order"],
        ),
        (
            one_twice,
            ["000002.ledger, entry 8, serial T1: there is another entry of this number, in 000002.ledger"],
        ),
        (
            last_cut,
            [
                "000002.ledger: its last line is cut off",
                "000003.ledger, entry 12: entry 12 is missing",
                "000003.ledger, entry 18, serial T5: the entry before it of the same serial number is not there",
            ],
        ),
    ],
)
def test_damage_has_a_name(change: Callable[[list[bytes]], list[bytes]], expected: list[str]) -> None:
    assert faults(changed(ledger(), 1, change)) == expected


def test_a_missing_object_is_a_gap() -> None:
    objects = ledger()
    assert faults([objects[0], objects[2]])[0] == "000003.ledger, entry 7: entries 7 to 12 are missing"


def test_a_tail_that_was_cut_off_is_seen_against_the_anchor_only() -> None:
    objects = ledger()
    head = judge(objects, REGION).head
    assert faults(objects[:2]) == []
    assert faults(objects[:2], head) == [
        "000002.ledger, entry 18: the ledger ends at entry 12, and entry 18 was seen: its tail was cut off"
    ]
    assert faults([], head)[0].startswith("the ledger, entry 18")


def test_an_older_anchor_still_holds() -> None:
    objects = ledger()
    assert faults(objects, judge(objects[:2], REGION).head) == []


def test_a_ledger_made_anew_does_not_hold_the_anchor() -> None:
    chain = Chain(REGION)
    lines = [
        chain.extend(at_ms=2, serial=f"T{n}", device="d", event=EVENTS[0], evidence={}, requirement=None)
        for n in range(20)
    ]
    forged = [("000001.ledger", b"".join(line.text() for line in lines if line))]
    assert faults(forged) == []
    assert "the ledger was rewritten" in faults(forged, judge(ledger(), REGION).head)[0]


def test_another_regions_ledger_does_not_fit() -> None:
    found = judge(ledger("essonne"), REGION).faults
    assert [(f.number, f.message) for f in found] == [(1, "it does not follow entry 0: what came before was replaced")]


def test_an_entry_replaced_with_its_digest_is_seen_by_the_next() -> None:
    chain = Chain(REGION)
    other = chain.extend(at_ms=1, serial="T0", device="x", event=EVENTS[0], evidence={}, requirement=None)
    assert other
    damaged = changed(ledger(), 0, lambda ls: [other.text(), *ls[1:]])
    assert faults(damaged)[0] == (
        "000001.ledger, entry 2, serial T1: it does not follow entry 1: what came before was replaced"
    )


@pytest.mark.parametrize("text", ["", "12", "12:xyz", "x:" + 64 * "0"])
def test_what_is_no_anchor_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="an anchor is"):
        Anchor.read(text)
