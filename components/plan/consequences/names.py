"""Many names as a few: `ess-r[001-250]-t[01-16]` for 4,000 hosts, and back.

Folding is exact, so a short text still names every device. Names that end up in no range stand as they are.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

_NUMBER = re.compile(r"(\d+)")
_RANGES = re.compile(r"\[([0-9,-]+)\]")


def fold(names: Iterable[str]) -> tuple[str, ...]:
    """The names, ranges of numbers in brackets; sorted."""
    by_form: dict[tuple[str, ...], set[tuple[str, ...]]] = defaultdict(set)
    for name in names:
        parts = _NUMBER.split(name)
        by_form[tuple(parts[::2])].add(tuple(parts[1::2]))
    return tuple(
        sorted(
            _join(texts, numbers) for texts, members in by_form.items() for numbers in _fold(members, len(texts) - 1)
        )
    )


def unfold(folded: Iterable[str]) -> tuple[str, ...]:
    """All names that `fold` was given; sorted."""
    return tuple(sorted(name for text in folded for name in _unfold(text)))


def _fold(members: set[tuple[str, ...]], length: int) -> set[tuple[str, ...]]:
    """Numbers of one form, folded from the last place to the first."""
    for place in reversed(range(length)):
        groups: dict[tuple[tuple[str, ...], int], list[str]] = defaultdict(list)
        for member in members:
            # Only numbers of the same width are a range: `9` and `10` would come back as `09` and `10`.
            groups[((*member[:place], *member[place + 1 :]), len(member[place]))].append(member[place])
        members = {(*others[:place], _ranges(numbers), *others[place:]) for (others, _), numbers in groups.items()}
    return members


def _ranges(numbers: list[str]) -> str:
    if len(numbers) == 1:
        return numbers[0]
    width = len(numbers[0])
    runs: list[list[int]] = []
    for number in sorted(map(int, numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    texts = [f"{a:0{width}}" if a == b else f"{a:0{width}}-{b:0{width}}" for a, b in runs]
    return f"[{','.join(texts)}]"


def _join(texts: tuple[str, ...], numbers: tuple[str, ...]) -> str:
    return "".join(text + number for text, number in zip(texts, (*numbers, ""), strict=True))


def _unfold(text: str) -> Iterator[str]:
    found = _RANGES.search(text)
    if found is None:
        yield text
        return
    for number in _numbers(found[1]):
        for rest in _unfold(text[found.end() :]):
            yield f"{text[: found.start()]}{number}{rest}"


def _numbers(ranges: str) -> Iterator[str]:
    for part in ranges.split(","):
        first, _, last = part.partition("-")
        for number in range(int(first), int(last or first) + 1):
            yield f"{number:0{len(first)}}"
