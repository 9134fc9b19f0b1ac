"""What a bring-up tells while it runs: one event each time a step of an endpoint begins or ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from components.plan.bring_up.work import EndpointWork, RackWork


class StepOutcome(StrEnum):
    """What came of a step."""

    STARTED = "started"
    DONE = "done"
    OBSERVED = "observed"
    """Nothing was done: the endpoint was found as it should be."""
    REMEDIED = "remedied"
    """Its known-good action is under way; the step goes on and ends with an event of its own."""
    FAILED = "failed"
    """It did not end well; `isolated` follows."""
    ISOLATED = "isolated"
    """The endpoint is left alone until a person has looked: the last event of an endpoint that failed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StepEvent:
    """One step of one endpoint. Of a tray, `hand-over` is the last step; of the others, `verify` or `configure`."""

    at: float
    """Seconds since 1970."""
    rack: str
    endpoint: str
    """Its name in the region, such as `ess-r001/nvlink/3`."""
    kind: str
    """A word of `components.spec.catalogue.firmware.Endpoint`."""
    step: str
    """A word of `components.spec.catalogue.bring_up.StepName`."""
    outcome: StepOutcome
    seconds: float
    """Since the step began; waiting for its turn not counted. 0 of `started`."""
    cause: str = ""
    """Class of the failure, a word of `components.plan.bring_up.cause.Cause`."""
    detail: str = ""
    """For people: one sentence without secrets."""

    @classmethod
    def now(
        cls,
        rack: RackWork,
        work: EndpointWork,
        step: str,
        outcome: StepOutcome,
        *,
        seconds: float = 0.0,
        cause: str = "",
        detail: str = "",
    ) -> StepEvent:
        """What happens at this moment to an endpoint of a rack."""
        return cls(
            at=time.time(),
            rack=rack.name,
            endpoint=work.name,
            kind=work.kind,
            step=step,
            outcome=outcome,
            seconds=seconds,
            cause=cause,
            detail=detail,
        )


Observer = Callable[[StepEvent], None]
"""Told each event at once, in the event loop: it must not block."""
