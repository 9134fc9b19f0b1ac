"""Whether the machine that answers is the one that was delivered for the place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components.plan.bring_up.cause import Cause
from components.plan.bring_up.work import EndpointWork


def mismatch(
    work: EndpointWork,
    *,
    serial: str,
    tray_index: int | None = None,
    detectors: Sequence[Mapping[str, Any]] = (),
) -> tuple[Cause, str] | None:
    """The cause and what was found, or None where all fits. Serials are compared as labels are read: without case."""
    if serial.strip().upper() != work.serial.upper():
        return Cause.SERIAL_MISMATCH, f"shows serial {serial}, delivered for this place was {work.serial}"
    if tray_index is not None and str(tray_index + 1) != work.tray:
        return Cause.SLOT_MISMATCH, f"says that it is compute tray {tray_index + 1}, and stands as {work.tray}"
    if wet := [str(d.get("Id")) for d in detectors if d.get("DetectorState", "OK") not in ("OK", "Unavailable")]:
        return Cause.LEAK, f"{', '.join(wet)}: moisture"
    return None
