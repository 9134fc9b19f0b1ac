"""How rules write numbers and sums, so that an operator can do the sum again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable


def kw(value: float) -> str:
    """`39,602.9 kW`."""
    return f"{_trimmed(value)} kW"


def mw(kilowatts: float) -> str:
    """`39.6 MW`, from kW."""
    return f"{_trimmed(kilowatts / 1000)} MW"


def _trimmed(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")


def sum_of(items: Iterable[tuple[str, float, int]]) -> str:
    """`250 x 116 kW gb200-nvl72 + 2,080 x 1.72 kW qm9700`, of (what, kW of each, count)."""
    counts: Counter[tuple[str, float]] = Counter()
    for what, each, count in items:
        counts[what, each] += count
    return " + ".join(f"{count:,} x {_exact(each)} kW {what}" for (what, each), count in counts.items())


def _exact(value: float) -> str:
    """As the catalogue has it, so that the sum comes out."""
    text = f"{value:,.3f}"
    return text.rstrip("0").rstrip(".")
