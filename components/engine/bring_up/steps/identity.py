"""Finding an endpoint, getting in, and comparing it with what was delivered.

Getting in comes before comparing: a BMC fresh from the factory shows nothing before its password is changed. BMCs lock
the account at the fourth wrong password, so an unproven one is sent at most three times in all, and each only once
where the answer was a refusal.
"""

from __future__ import annotations

from components.engine.action import Observation
from components.engine.bring_up.bmc import PasswordRefusedError
from components.engine.bring_up.hand import Hand
from components.engine.retry import TransientError
from components.plan.actions.action import ActionKind
from components.plan.bring_up.cause import Cause
from components.plan.bring_up.identity import mismatch

UNPROVEN_TRIES = 3
"""Times that a password may be sent before one is accepted: one less than locks the account."""


async def find(hand: Hand) -> None:
    """It answers at its address; its certificate is checked with the connection."""
    root = await hand.look(lambda: hand.bmc.get("", anonymous=True))
    hand.evidence["product"] = str(root.get("Product", ""))


async def credentials(hand: Hand) -> None:
    """Replace the factory's password by the minted one, which is on disk already."""
    passwords, account = hand.passwords, f"AccountService/Accounts/{hand.work.username}"
    if passwords.is_refused:
        raise hand.fail(Cause.PASSWORD_REFUSED, "refused lately; not sent again before the lockout is over")
    opening = _Opening(hand, account)
    # What most probably opens it comes first: a wrong try costs one of few.
    candidates = [passwords.minted, passwords.factory] if passwords.is_set else [passwords.factory, passwords.minted]

    async def observe() -> Observation:
        for password in candidates:
            if await opening.opens(password):
                return Observation.DONE if password == passwords.minted else Observation.ABSENT
        await hand.services.passwords.note_refused(hand.rack.name, hand.work.name)
        raise hand.fail(Cause.PASSWORD_REFUSED, "neither the delivered password nor ours opens it")

    async def act() -> None:
        await hand.bmc.patch(account, {"Password": passwords.minted})

    async def await_done() -> None:
        if not await opening.opens(passwords.minted):
            await hand.services.passwords.note_refused(hand.rack.name, hand.work.name)
            raise hand.fail(Cause.PASSWORD_REFUSED, "it took our password, and refuses it now")

    await hand.perform(ActionKind.ROTATE_PASSWORD, hand.work.serial, observe=observe, act=act, await_done=await_done)
    hand.is_known = True
    if not passwords.is_set:
        await hand.services.passwords.note_set(hand.rack.name, hand.work.name)


async def match(hand: Hand) -> None:
    """Serial, slot and leak detectors."""
    profile = hand.profile
    system = await hand.get(profile.system)
    serial, index = str(system.get("SerialNumber", "")), None
    if profile.place:
        index = int((await hand.get(profile.place))["Oem"]["Nvidia"]["ComputeTrayIndex"])
    detectors = (await hand.get(profile.leaks, expand=True))["Members"] if profile.leaks else ()
    hand.evidence["serial"] = serial
    if wrong := mismatch(hand.work, serial=serial, tray_index=index, detectors=detectors):
        raise hand.fail(*wrong)


class _Opening:
    """Counts passwords that were sent without being accepted."""

    def __init__(self, hand: Hand, account: str) -> None:
        self._hand = hand
        self._account = account
        self._left = UNPROVEN_TRIES

    async def opens(self, password: str) -> bool:
        """Whether a password opens the account. One lost answer after the other ends before the lockout."""
        hand = self._hand
        hand.bmc.use(hand.work.username, password)
        while True:
            if self._left == 0:
                raise hand.fail(Cause.UNSTEADY, "answers to its login get lost; another try could lock the account")
            self._left -= 1
            try:
                await hand.bmc.get(self._account)
            except PasswordRefusedError:
                return False
            except TransientError as error:
                if error.is_refused:  # it was not even looked at
                    self._left += 1
                # To find out when it answers again costs no try.
                await hand.rest(1.0)
                await hand.look(lambda: hand.bmc.get("", anonymous=True))
            else:
                self._left = UNPROVEN_TRIES
                return True
