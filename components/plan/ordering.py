"""Orders that people and switches expect."""

from __future__ import annotations

import re
from functools import lru_cache


@lru_cache(maxsize=65536)  # all switches of a kind have the same ports
def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key that puts `swp2` before `swp10`."""
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"([0-9]+)", name) if part)
