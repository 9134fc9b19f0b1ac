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


def sum_of(items: Iterable[tuple[str, float]]) -> str:
    """`250 x 132 kW gb200-nvl72 + 3 x 0.8 kW control-server`, of (profile, kW) of each rack."""
    return " + ".join(f"{count} x {kw(each)} {what}" for (what, each), count in Counter(items).items())
