"""Why an endpoint does not go on: classes of failures, each with the runbook that a person follows."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Cause(StrEnum):
    """Class of a failure. Stable: summaries, forecasts and runbooks are by it."""

    SILENT = "silent"
    """Nothing answers at the address."""
    UNTRUSTED = "untrusted"
    """Its certificate is not the region's."""
    UNSTEADY = "unsteady"
    """It answers now and then, or with errors, too seldom for the step to end in its time."""
    LOCKED_OUT = "locked-out"
    """The account is locked after wrong passwords."""
    PASSWORD_REFUSED = "password-refused"  # noqa: S105  # the name of a class
    """No password that is known opens it. Each was tried once."""
    SERIAL_MISMATCH = "serial-mismatch"
    """Another machine stands there than the one delivered for the place."""
    SLOT_MISMATCH = "slot-mismatch"
    """The machine is in another slot than it says."""
    LEAK = "leak"
    """A leak detector reports moisture: nothing is switched on."""
    FIRMWARE_STUCK = "firmware-stuck"
    """An update does not come to its end, also after a reset of the BMC."""
    FIRMWARE_FAILED = "firmware-failed"
    """An update ends in an error, also at the second push."""
    FIRMWARE_WRONG = "firmware-wrong"
    """After the activation another version runs than the one pushed."""
    SETTINGS_REFUSED = "settings-refused"
    """A setting is not accepted, or not there after the boot."""
    POWER_STUCK = "power-stuck"
    """It does not switch on or off in its time."""
    HAND_OVER_FAILED = "hand-over-failed"
    """Ironic does not take it."""
    DEPENDS = "depends"
    """It is in order, but something it needs is isolated."""
    MALFORMED = "malformed"
    """Its answers are not what Redfish says."""


RUNBOOKS: Mapping[Cause, str] = MappingProxyType(
    {
        Cause.SILENT: "docs/runbooks/BmcDoesNotAnswer.md",
        Cause.UNSTEADY: "docs/runbooks/BmcDoesNotAnswer.md",
        Cause.UNTRUSTED: "docs/runbooks/BmcDoesNotAnswer.md",
        Cause.MALFORMED: "docs/runbooks/BmcDoesNotAnswer.md",
        Cause.LOCKED_OUT: "docs/runbooks/BmcRefusesPassword.md",
        Cause.PASSWORD_REFUSED: "docs/runbooks/BmcRefusesPassword.md",
        Cause.SERIAL_MISMATCH: "docs/runbooks/WrongMachineInSlot.md",
        Cause.SLOT_MISMATCH: "docs/runbooks/WrongMachineInSlot.md",
        Cause.LEAK: "docs/runbooks/LeakDetected.md",
        Cause.FIRMWARE_STUCK: "docs/runbooks/FirmwareDoesNotUpdate.md",
        Cause.FIRMWARE_FAILED: "docs/runbooks/FirmwareDoesNotUpdate.md",
        Cause.FIRMWARE_WRONG: "docs/runbooks/FirmwareDoesNotUpdate.md",
        Cause.SETTINGS_REFUSED: "docs/runbooks/SettingsDoNotApply.md",
        Cause.POWER_STUCK: "docs/runbooks/SettingsDoNotApply.md",
        Cause.HAND_OVER_FAILED: "docs/runbooks/HostDoesNotDeploy.md",
        Cause.DEPENDS: "docs/runbooks/RackIsIsolated.md",
    }
)
"""Cause -> what a person does about it."""
