"""A BMC as bring-up needs it: what can be asked, and the ways in which it fails.

Owns the words only. `components.clients.bmc` speaks Redfish; the errors stand here because the engine decides by
them, and because each has the class of failure that summaries are by.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

from components.engine.retry import AuthenticationError, TransientError
from components.errors import DeviceError, Problem
from components.plan.bring_up.cause import RUNBOOKS, Cause


def bmc_problem(path: str, cause: Cause, found: str) -> Problem:
    """A failure of one endpoint with the way on. `found` must hold no secret."""
    return Problem(path=path, message=_MESSAGES[cause], found=found, remedy=RUNBOOKS[cause], rule=f"bmc-{cause}")


class SilentError(TransientError):
    """Nothing answers: no connection, or no answer in time."""

    cause: ClassVar[Cause] = Cause.SILENT


class DroppedError(TransientError):
    """The connection broke before the answer: whether the request was carried out is not known."""

    cause: ClassVar[Cause] = Cause.UNSTEADY


class BusyError(TransientError):
    """It answered 503: nothing was done."""

    cause: ClassVar[Cause] = Cause.UNSTEADY


class FaultError(TransientError):
    """It answered with another server error."""

    cause: ClassVar[Cause] = Cause.UNSTEADY


class PasswordRefusedError(AuthenticationError):
    """401: a wrong password, or a locked account. The same password is not sent again."""

    cause: ClassVar[Cause] = Cause.PASSWORD_REFUSED


class UntrustedError(DeviceError):
    """Its certificate is not signed by the region's authority, or not for its address."""

    cause: ClassVar[Cause] = Cause.UNTRUSTED


class MalformedError(DeviceError):
    """Its answer is not JSON, or not the resource that was asked for."""

    cause: ClassVar[Cause] = Cause.MALFORMED


class RefusedError(DeviceError):
    """It understood, and does not do it: 4xx."""

    cause: ClassVar[Cause] = Cause.SETTINGS_REFUSED

    def __init__(self, message: str, problem: Problem, status: int) -> None:
        super().__init__(message, [problem])
        self.status = status


class Bmc(Protocol):
    """One endpoint. Paths are below `/redfish/v1/`, or whole as its answers give them; errors are those above."""

    def use(self, username: str, password: str) -> None:
        """Ask with these credentials from now on."""
        ...

    async def get(self, path: str, *, expand: bool = False, anonymous: bool = False) -> Mapping[str, Any]:
        """A resource; with `expand` its members too. `anonymous` for what is open to everybody."""
        ...

    async def patch(self, path: str, body: Mapping[str, Any]) -> None: ...

    async def post(self, path: str, body: Mapping[str, Any]) -> None: ...

    async def push(self, path: str, package: Path) -> str:
        """Send a firmware package to a multipart push URI; the path of the task that the BMC makes of it."""
        ...


_MESSAGES: Mapping[Cause, str] = {
    Cause.SILENT: "the BMC does not answer",
    Cause.UNTRUSTED: "the BMC's certificate is not trusted",
    Cause.UNSTEADY: "the BMC answers too seldom",
    Cause.LOCKED_OUT: "the account of the BMC is locked",
    Cause.PASSWORD_REFUSED: "the BMC refuses the password",
    Cause.SERIAL_MISMATCH: "another machine stands here",
    Cause.SLOT_MISMATCH: "the machine stands in another slot than it says",
    Cause.LEAK: "a leak is reported",
    Cause.FIRMWARE_STUCK: "the firmware update stands still",
    Cause.FIRMWARE_FAILED: "the firmware update failed",
    Cause.FIRMWARE_WRONG: "the wrong firmware runs",
    Cause.SETTINGS_REFUSED: "a setting is refused or does not take effect",
    Cause.POWER_STUCK: "the machine does not switch on or off",
    Cause.HAND_OVER_FAILED: "Ironic does not take the machine",
    Cause.DEPENDS: "something that it needs is isolated",
    Cause.MALFORMED: "the BMC answers nonsense",
}
