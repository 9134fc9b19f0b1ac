"""Power caps of racks: the power limit of the GPUs that holds one, and the lowest cap that can be held.

All of a rack but its GPUs is taken to draw what it draws without a cap, so every kilowatt less is the GPUs'.
"""

from __future__ import annotations

import math

from components.spec.catalogue.rack import RackProfile


def gpu_limit_watts(profile: RackProfile, planned_kw: float, cap_kw: float, gpus: int) -> int | None:
    """Power limit of each GPU, rounded down to whole watts; None where the profile does not say what it has now."""
    if profile.tray.gpu_watts is None or not gpus:
        return None
    return math.floor(profile.tray.gpu_watts - (planned_kw - cap_kw) * 1000 / gpus)


def lowest_cap_kw(profile: RackProfile, planned_kw: float) -> float:
    """What a full rack draws with its GPUs at their lowest power limit; infinite where that is not known."""
    tray = profile.tray
    if tray.gpu_watts is None or tray.gpu_watts_min is None or not profile.gpus:
        return math.inf
    return planned_kw - (tray.gpu_watts - tray.gpu_watts_min) * profile.gpus / 1000
