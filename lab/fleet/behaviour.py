"""A scenario applied to a description: what each endpoint does on its nth request.

Everything that is decided here is a function of the seed, the endpoint and a count of its own, so the same seed
gives the same run however fast it is asked. Endpoints without a fault share one object of their kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import NamedTuple

from lab.fleet import scenario as s
from lab.fleet.chance import Lognormal, draw
from lab.fleet.description import Description
from lab.fleet.errors import FleetError
from lab.fleet.kinds import Kind
from lab.fleet.scenario import Scenario


class Mishap(Enum):
    """What becomes of a request that is not simply answered."""

    REFUSED = auto()
    """The connection is reset, nothing is done."""
    SILENCE = auto()
    """Nothing is done or answered, the connection stays."""
    ANSWER_LOST = auto()
    """It is done, then the connection is reset."""
    ERROR = auto()
    """A server error is answered, nothing is done."""


class Decision(NamedTuple):
    """What becomes of one request."""

    service_s: float
    """How long the BMC works on it."""
    mishap: Mishap | None = None
    status: int = 0


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How an endpoint behaves."""

    seed: int
    latency: Lognormal
    flash: Lognormal
    workers: int
    queue: int
    slow: float = 1
    up: int = 0
    down: int = 0
    error_rate: float = 0
    statuses: tuple[int, ...] = ()
    drop_rate: float = 0
    lost_rate: float = 0
    stuck: int = 0
    stuck_percent: int = 0
    failed: int = 0
    wrong_serial: bool = False
    wrong_password: bool = False
    dead_after: int | None = None
    dead_by: Mishap = Mishap.REFUSED
    leak: bool = False

    def decide(self, endpoint: str, number: int) -> Decision:
        """The fate of an endpoint's request `number`, counted from 1."""
        service = self.latency.at(draw(self.seed, endpoint, number, "latency")) * self.slow
        if self.dead_after is not None and number > self.dead_after:
            return Decision(service, self.dead_by)
        if self.up and (number - 1) % (self.up + self.down) >= self.up:
            return Decision(service, Mishap.REFUSED)
        if self.drop_rate and draw(self.seed, endpoint, number, "dropped") < self.drop_rate:
            return Decision(service, Mishap.REFUSED)
        if self.error_rate and draw(self.seed, endpoint, number, "error") < self.error_rate:
            which = int(draw(self.seed, endpoint, number, "status") * len(self.statuses))
            return Decision(service, Mishap.ERROR, self.statuses[which])
        if self.lost_rate and draw(self.seed, endpoint, number, "lost") < self.lost_rate:
            return Decision(service, Mishap.ANSWER_LOST)
        return Decision(service)

    def duration(self, spread: Lognormal, endpoint: str, number: int, what: str) -> float:
        """How long the endpoint's `number`th piece of work of a sort takes, in simulated seconds."""
        return spread.at(draw(self.seed, endpoint, number, what))


class Behaviours:
    """The behaviour of each endpoint of a fleet."""

    def __init__(self, scenario: Scenario, description: Description) -> None:
        self._common = {kind: _common(scenario, kind) for kind in Kind}
        self._own: dict[str, Behaviour] = {}
        kinds = {f"{rack}/{place}": e.kind for rack, there in description.items() for place, e in there.items()}
        _refuse_strangers(scenario, description, kinds)
        for index, fault in enumerate(scenario.faults):
            for name in hit_by(scenario.seed, index, fault, kinds):
                self._own[name] = _with(self._own.get(name, self._common[kinds[name]]), fault)

    def of(self, name: str, kind: Kind) -> Behaviour:
        return self._own.get(name, self._common[kind])


def _common(scenario: Scenario, kind: Kind) -> Behaviour:
    conduct = scenario.conduct(kind)
    return Behaviour(
        seed=scenario.seed,
        latency=conduct.latency_s.spread,
        flash=conduct.flash_s.spread,
        workers=conduct.capacity.workers,
        queue=conduct.capacity.queue,
    )


def hit_by(seed: int, index: int, fault: s.Fault, kinds: Mapping[str, Kind]) -> Iterable[str]:
    """Exactly the share of the scenario, at least one, so that a small fleet has the fault too."""
    if fault.endpoints:
        return fault.endpoints
    candidates = [name for name, kind in kinds.items() if kind in fault.of]
    candidates.sort(key=lambda name: draw(seed, "fault", index, name))
    return candidates[: max(1, round(fault.share * len(candidates)))]


def _with(behaviour: Behaviour, fault: s.Fault) -> Behaviour:
    match fault:
        case s.Slow():
            return replace(behaviour, slow=behaviour.slow * fault.factor)
        case s.Flapping():
            return replace(behaviour, up=fault.up_requests, down=fault.down_requests)
        case s.Errors():
            return replace(behaviour, error_rate=fault.rate, statuses=fault.statuses)
        case s.Dropped():
            return replace(behaviour, drop_rate=fault.rate)
        case s.AnswerLost():
            return replace(behaviour, lost_rate=fault.rate)
        case s.StuckTask():
            return replace(behaviour, stuck=fault.times, stuck_percent=fault.percent)
        case s.FailedTask():
            return replace(behaviour, failed=fault.times)
        case s.WrongSerial():
            return replace(behaviour, wrong_serial=True)
        case s.WrongPassword():
            return replace(behaviour, wrong_password=True)
        case s.Dead():
            by = Mishap.REFUSED if fault.by == "reset" else Mishap.SILENCE
            return replace(behaviour, dead_after=fault.after_requests, dead_by=by)
        case s.Leak():
            return replace(behaviour, leak=True)


def _refuse_strangers(scenario: Scenario, description: Description, kinds: Mapping[str, Kind]) -> None:
    """A name that the description lacks would be a fault that never happens."""
    problems = [
        f"faults[{n}].endpoints: no endpoint is called {name}"
        for n, fault in enumerate(scenario.faults)
        for name in fault.endpoints
        if name not in kinds
    ]
    problems += [
        f"rack_power_losses[{n}].rack: no rack is called {outage.rack}"
        for n, outage in enumerate(scenario.rack_power_losses)
        if outage.rack not in description
    ]
    if problems:
        example = next(iter(kinds), "none")
        raise FleetError(
            "the scenario does not fit the description", details=problems, allowed=f"names such as {example}"
        )
