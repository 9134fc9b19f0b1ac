"""The steps of an endpoint, by name. Each looks first, acts only on what is not so, and raises where it cannot."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from components.engine.bring_up.hand import Hand
from components.engine.bring_up.steps.firmware import activate, flash, verify
from components.engine.bring_up.steps.identity import credentials, find, match
from components.engine.bring_up.steps.power import boot, power_off
from components.engine.bring_up.steps.settings import configure
from components.spec.catalogue.bring_up import StepName

STEPS: Mapping[StepName, Callable[[Hand], Awaitable[None]]] = MappingProxyType(
    {
        StepName.FIND: find,
        StepName.CREDENTIALS: credentials,
        StepName.MATCH: match,
        StepName.FLASH: flash,
        StepName.ACTIVATE: activate,
        StepName.VERIFY: verify,
        StepName.CONFIGURE: configure,
        StepName.BOOT: boot,
        StepName.POWER_OFF: power_off,
    }
)
"""All but the hand-over, which is a rack's."""
