"""All rules over a catalogue."""

from __future__ import annotations

from components.spec.catalogue import (
    bring_up_checks,
    evidence_checks,
    model_checks,
    part_checks,
    rack_checks,
    tray_checks,
)

CHECKS = (
    *evidence_checks.CHECKS,
    *rack_checks.CHECKS,
    *tray_checks.CHECKS,
    *part_checks.CHECKS,
    *bring_up_checks.CHECKS,
    *model_checks.CHECKS,
)
"""The order has no meaning, as every problem is reported at once."""
