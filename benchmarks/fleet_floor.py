"""The least time in which a simulated fleet can be brought up: what its machines take, and what budgets force.

Pure. The simulator draws every duration from the seed, the endpoint and a count, so the floor of a scenario is computed
from the very draws that a run will meet.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from components.plan.bring_up.compile import Plan
from components.plan.bring_up.work import EndpointWork, RackWork
from components.spec.catalogue.bring_up import StepName
from components.spec.catalogue.firmware import Endpoint
from lab.fleet.behaviour import Behaviours
from lab.fleet.description import Description
from lab.fleet.kinds import Kind
from lab.fleet.scenario import Scenario, Spread

LEAST_REQUESTS = {Endpoint.POWER_SHELF: 9, Endpoint.NVLINK_SWITCH: 5, Endpoint.DPU: 7, Endpoint.COMPUTE_TRAY: 11}
"""On the longest way through a rack, one after the other: find, credentials, match, flash, activate and verify of a
shelf; then from the push of a switch, from the activation of a DPU, and from the activation of a tray to its
hand-over. A step asks at least for what it needs and looks once at what it did."""


@dataclass(frozen=True, kw_only=True)
class Floor:
    """Seconds of the wall clock."""

    machines_s: float
    """What machines take of the longest chain of one rack."""
    chain_s: float
    """That, and the answers that cannot be had side by side."""
    budgets_s: Mapping[str, float]
    """What each budget forces: the work that claims it, divided by what may be held at one time."""

    @property
    def seconds(self) -> float:
        return max(self.chain_s, *self.budgets_s.values(), 0.0)


def floor(plan: Plan, scenario: Scenario, description: Description) -> Floor:
    """The floor of a bring-up of the plan's racks without faults.

    A rack's chain follows the order of the catalogue: its power shelves are flashed and restarted, then its switches
    are flashed and cycled while DPUs and trays are flashed beside them, then each tray's DPUs are activated, then the
    tray is cycled, booted and switched off. Of what happens side by side the longest counts. To the machines' time,
    shortened by the scenario's compression, come the requests that cannot be made side by side, each at its kind's
    median. Connections, the polling of tasks and this program take nothing here, so no run can reach the floor.
    """
    machines = _Machines(scenario, Behaviours(scenario, description))
    compression = scenario.time.compression
    answers_s = sum(count * scenario.conduct(_simulated(kind)).latency_s.p50 for kind, count in LEAST_REQUESTS.items())
    machines_s = max(machines.chain(rack) for rack in plan.racks) / compression
    held: dict[str, float] = defaultdict(float)
    for rack in plan.racks:
        for key, amount in _claimed(plan, rack, machines):
            held[key] += amount
    forced = {key: amount / plan.limits[key.partition(":")[0]] / compression for key, amount in held.items()}
    longest: dict[str, float] = defaultdict(float)
    for key, seconds in forced.items():
        sort = key.partition(":")[0]
        longest[sort] = max(longest[sort], seconds)
    return Floor(machines_s=machines_s, chain_s=machines_s + answers_s, budgets_s=longest)


def floor_by_kind(plan: Plan, scenario: Scenario, description: Description) -> float:
    """Seconds that the machines of a rack take at least where each kind waits for the one before it, racks side by
    side: shelves, then switches and DPUs, then trays. To be held against `machines_s`."""
    machines = _Machines(scenario, Behaviours(scenario, description))
    return max(machines.by_kind(rack) for rack in plan.racks) / scenario.time.compression


class _Machines:
    """What machines take, in simulated seconds: the first draw of each sort."""

    def __init__(self, scenario: Scenario, behaviours: Behaviours) -> None:
        self._scenario, self._behaviours = scenario, behaviours

    def _takes(self, endpoint: EndpointWork, what: str, spread: Spread) -> float:
        behaviour = self._behaviours.of(endpoint.name, _simulated(endpoint.kind))
        return behaviour.duration(spread.spread, endpoint.name, 1, what)

    def flash(self, endpoint: EndpointWork) -> float:
        conduct = self._scenario.conduct(_simulated(endpoint.kind))
        waits = self._takes(endpoint, "task_pending", self._scenario.durations.task_pending)
        return waits + self._takes(endpoint, "flash", conduct.flash_s)

    def activation(self, endpoint: EndpointWork) -> float:
        durations = self._scenario.durations
        if endpoint.kind in (Endpoint.COMPUTE_TRAY, Endpoint.NVLINK_SWITCH):
            return self._takes(endpoint, "aux_cycle", durations.aux_cycle)
        return self._takes(endpoint, "bmc_reset", durations.bmc_reset)

    def boot(self, endpoint: EndpointWork) -> float:
        return self._takes(endpoint, "power_on", self._scenario.durations.power_on)

    def chain(self, rack: RackWork) -> float:
        """The longest way through a rack."""
        of = defaultdict[Endpoint, list[EndpointWork]](list)
        for endpoint in rack.endpoints:
            of[endpoint.kind].append(endpoint)
        shelves = _longest(self.flash(e) + self.activation(e) for e in of[Endpoint.POWER_SHELF])
        switches = _longest(shelves + self.flash(e) + self.activation(e) for e in of[Endpoint.NVLINK_SWITCH])
        dpus: dict[str, float] = defaultdict(float)
        for dpu in of[Endpoint.DPU]:
            ready = max(shelves + self.flash(dpu), switches) + self.activation(dpu)
            dpus[dpu.tray] = max(dpus[dpu.tray], ready)
        return _longest(
            max(shelves + self.flash(e), switches, dpus[e.tray]) + self.activation(e) + self.boot(e)
            for e in of[Endpoint.COMPUTE_TRAY]
        )

    def by_kind(self, rack: RackWork) -> float:
        """The stages of a rack, one after the other."""
        longest: dict[Endpoint, float] = defaultdict(float)
        for e in rack.endpoints:
            booted = self.boot(e) if e.kind is Endpoint.COMPUTE_TRAY else 0.0
            longest[e.kind] = max(longest[e.kind], self.flash(e) + self.activation(e) + booted)
        second = max(longest[Endpoint.NVLINK_SWITCH], longest[Endpoint.DPU])
        return longest[Endpoint.POWER_SHELF] + second + longest[Endpoint.COMPUTE_TRAY]


def _simulated(kind: Endpoint) -> Kind:
    """The simulator calls the kinds by the same words."""
    return Kind(kind.value)


def _longest(times: Iterable[float]) -> float:
    return max(times, default=0.0)


def _claimed(plan: Plan, rack: RackWork, machines: _Machines) -> Iterable[tuple[str, float]]:
    """(budget, amount times simulated seconds) of all that claims."""
    names = {"rack": rack.name, "nvlink": rack.name, "feed": rack.feed, "region": "region"}
    for endpoint in rack.endpoints:
        for step in plan.bring_up.kind(endpoint.kind).steps:
            seconds = {StepName.ACTIVATE: machines.activation, StepName.BOOT: machines.boot}.get(step.step)
            for claim in step.claims if seconds else ():
                amount = min(rack.tray_kw if claim == "feed" else 1.0, plan.limits[claim])
                yield f"{claim}:{names[claim]}", amount * (seconds(endpoint) if seconds else math.nan)
