"""Admission: the budgets of what goes through Ironic, in the order in which they are taken.

Owns that order: a host of a rack is away, within that it is cleaned or deployed, within that its BMC is asked. Three
sets of budgets, each taken only under the one before it, so no circle of waiting can close. Waiting happens here, in
our process, because Ironic rejects above its limits instead of queueing.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from components.engine.budget import Budgets, Claim
from components.plan.budgets import CLEANS, DEPLOYS, DESTRUCTIVE_PER_RACK, PER_BMC


class Admission:
    """The limits of one provider process."""

    def __init__(
        self,
        *,
        per_bmc: int = PER_BMC,
        deploys: int = DEPLOYS,
        cleans: int = CLEANS,
        destructive_per_rack: int = DESTRUCTIVE_PER_RACK,
    ) -> None:
        self._hosts = Budgets({"rack": destructive_per_rack})
        self._ironic = Budgets({"deploy": deploys, "clean": cleans})
        self._bmcs = Budgets({"bmc": per_bmc})

    def destructive(self, rack: str) -> AbstractAsyncContextManager[None]:
        """A host in service of this rack is taken away."""
        return self._hosts.hold([Claim(key=f"rack:{rack}")])

    def deploy(self, ironic: str) -> AbstractAsyncContextManager[None]:
        """Ironic, known by its URL, rejects above max_concurrent_deploy (250); the limit is below it, so that
        several stacks fit beside each other."""
        return self._ironic.hold([Claim(key=f"deploy:{ironic}")])

    def clean(self, ironic: str) -> AbstractAsyncContextManager[None]:
        """Ironic's max_concurrent_clean is 50."""
        return self._ironic.hold([Claim(key=f"clean:{ironic}")])

    def bmc(self, address: str) -> AbstractAsyncContextManager[None]:
        """BMCs serve few requests at once, and a chassis BMC serves several trays."""
        return self._bmcs.hold([Claim(key=f"bmc:{address}")])
