"""What ways of bringing racks up had done to a simulated fleet in the end, told by its machines alone.

Owns the comparison of deeds: the simulator's ledger counts each flash, reset and setting, its state says what runs and
counts now. No way is asked how it went.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from components.plan.bring_up.compile import Plan
from components.plan.bring_up.work import EndpointWork
from components.spec.catalogue.bring_up import EndpointProfile, StepName
from components.spec.catalogue.firmware import Endpoint
from lab.fleet.hardware import HARDWARE
from lab.fleet.kinds import Kind
from lab.fleet.state import State
from lab.fleet.store import Store

Deeds = Mapping[str, int]
"""Deed -> how often."""
Once = Mapping[Endpoint, Deeds]
"""What an undisturbed run does to each endpoint of a kind."""
_NOT_IRONICS = (StepName.FLASH, StepName.ACTIVATE, StepName.VERIFY)


@dataclass(frozen=True, kw_only=True)
class Account:
    """A fleet after a run."""

    deeds: Mapping[str, Deeds]
    """Endpoint -> what was done to it."""
    reached: frozenset[str]
    """Endpoints that run their firmware and have their settings; hosts that were to be left off are off."""
    requests: int


def part_of_ironic(plan: Plan) -> Plan:
    """The compute trays only, and of their steps those that Ironic has an answer to: all but firmware."""
    kind = Endpoint.COMPUTE_TRAY
    profile = plan.bring_up.kind(kind)
    steps = tuple(s.model_copy(update={"after": ()}) for s in profile.steps if s.step not in _NOT_IRONICS)
    kinds = {**plan.bring_up.kinds, kind: profile.model_copy(update={"steps": steps})}
    return replace(
        plan,
        racks=tuple(replace(rack, endpoints=tuple(e for e in rack.endpoints if e.kind is kind)) for rack in plan.racks),
        bring_up=plan.bring_up.model_copy(update={"kinds": kinds}),
    )


def read(folder: Path, plan: Plan) -> Account:
    """The account of a fleet that has ended, from the folder that it was served from."""
    told = json.loads((folder / "state" / "ledger.json").read_text())
    states = dict(Store(folder / "state").states())
    work = [endpoint for rack in plan.racks for endpoint in rack.endpoints]
    return Account(
        deeds={endpoint.name: told["endpoints"].get(endpoint.name, {}) for endpoint in work},
        reached=frozenset(e.name for e in work if e.name in states and _is_reached(plan, e, states[e.name])),
        requests=int(told["totals"]["requests"]),
    )


def once(plan: Plan, account: Account) -> Once:
    """From the account of an undisturbed run, in which all endpoints of a kind were done the same to."""
    found: dict[Endpoint, Deeds] = {}
    for endpoint in (e for rack in plan.racks for e in rack.endpoints):
        deeds = account.deeds[endpoint.name]
        wanted = found.setdefault(endpoint.kind, deeds)
        assert deeds == wanted, f"{endpoint.name}: {deeds}, others of its kind {wanted}"
    return found


def assert_same(plan: Plan, account: Account, wanted: Once, *, but: frozenset[str] = frozenset()) -> None:
    """The work was the same, and led to the same: neither more nor less was done to any endpoint; `but` some deeds."""
    for endpoint in (e for rack in plan.racks for e in rack.endpoints):
        done = {deed: n for deed, n in account.deeds[endpoint.name].items() if deed not in but}
        expected = {deed: n for deed, n in wanted[endpoint.kind].items() if deed not in but}
        assert done == expected, f"{endpoint.name}: {done}, not {expected}"
        assert endpoint.name in account.reached, f"{endpoint.name} is not as the catalogue wants it"


def repeated(plan: Plan, account: Account, wanted: Once) -> Counter[str]:
    """Deeds beyond those of an undisturbed run, by sort."""
    more: Counter[str] = Counter()
    for endpoint in (e for rack in plan.racks for e in rack.endpoints):
        for deed, count in account.deeds[endpoint.name].items():
            more[deed] += max(0, count - wanted[endpoint.kind].get(deed, 0))
    return +more


def _is_reached(plan: Plan, endpoint: EndpointWork, state: State) -> bool:
    profile = plan.bring_up.kind(endpoint.kind)
    return _firmware(plan, endpoint, profile, state) and _settings(endpoint, profile, state)


def _firmware(plan: Plan, endpoint: EndpointWork, profile: EndpointProfile, state: State) -> bool:
    if profile.step(StepName.FLASH) is None:
        return True
    delivered = {c.id: c.version for c in HARDWARE[Kind(endpoint.kind.value)].components}
    return all({**delivered, **state.firmware}.get(c) == v for c, v in plan.baseline.versions(endpoint.kind).items())


def _settings(endpoint: EndpointWork, profile: EndpointProfile, state: State) -> bool:
    delivered = HARDWARE[Kind(endpoint.kind.value)].computer.bios or {}
    bios = {**delivered, **state.bios}
    return (
        all(bios.get(s.attribute) == s.value for s in profile.bios)
        and (profile.secure_boot is None or state.secure_boot == profile.secure_boot)
        and (profile.wanted_mode is None or state.mode == profile.wanted_mode)
        and (profile.step(StepName.POWER_OFF) is None or not state.on)
    )
