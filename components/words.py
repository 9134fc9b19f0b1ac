"""How counts are said to people, in every part alike."""

from __future__ import annotations


def count(n: int, one: str, many: str | None = None) -> str:
    """`1 rack`, `12,000 racks`; `many` where it is not `one` with an s."""
    return f"{n:,} {one if n == 1 else many or f'{one}s'}"
