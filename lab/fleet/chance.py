"""Chance that can be repeated: every draw is a hash of the seed and of what it is for.

No generator is shared, so a draw depends neither on the time nor on what other endpoints were asked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from hashlib import blake2b
from statistics import NormalDist

_NORMAL = NormalDist()
_Z99 = _NORMAL.inv_cdf(0.99)
_STEP = 2.0**-53


def draw(seed: int, *of: str | int) -> float:
    """A number in [0, 1) that belongs to `of` under this seed."""
    text = "\x1f".join(map(str, (seed, *of)))
    return (int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 11) * _STEP


@dataclass(frozen=True, slots=True)
class Lognormal:
    """A spread of times as they are measured: a median and a 99th percentile."""

    p50: float
    p99: float

    def at(self, chance: float) -> float:
        """The value that `chance` of all values lie below."""
        if self.p99 <= self.p50:
            return self.p50
        z = _NORMAL.inv_cdf(min(max(chance, _STEP), 1 - _STEP))
        return self.p50 * math.exp(math.log(self.p99 / self.p50) / _Z99 * z)
