"""The fleet: all endpoints, and what becomes of a request to one of them. Pure but for the clock and the store."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lab.fleet import accounts, lifecycle
from lab.fleet.answers import Answer, Message, Refusal, etag, ok, refuse
from lab.fleet.behaviour import Behaviours, Decision, Mishap
from lab.fleet.call import Call
from lab.fleet.clock import Clock
from lab.fleet.description import Description
from lab.fleet.endpoint import Endpoint
from lab.fleet.errors import FleetError
from lab.fleet.resources import TREES
from lab.fleet.resources.metadata import METADATA, ODATA
from lab.fleet.resources.tree import ROOT
from lab.fleet.scenario import Outage, Scenario
from lab.fleet.state import State
from lab.fleet.store import Entry, Store

_FOREVER = 1e15
_SWITCHED = "switched racks"


class Request(NamedTuple):
    """A request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes = b""


class Fleet:
    """A description under a scenario."""

    def __init__(
        self, description: Description, scenario: Scenario, state: Path | None = None, clock: Clock | None = None
    ) -> None:
        behaviours = Behaviours(scenario, description)
        self.scenario = scenario
        self.endpoints = {
            endpoint.name: endpoint
            for rack, there in description.items()
            for place, entry in there.items()
            for endpoint in (Endpoint(rack, place, entry, behaviours.of(f"{rack}/{place}", entry.kind)),)
        }
        self.by_address = {str(e.entry.bmc_address): e for e in self.endpoints.values()}
        self.store = Store(state)
        self._refuse_other_run()
        origin = float(self.store.remembered("origin", repr(time.time())))
        self.clock = clock or Clock(scenario.time.compression, origin=origin)
        self._planned: dict[str, list[Outage]] = defaultdict(list)
        for outage in scenario.rack_power_losses:
            self._planned[outage.rack].append(outage)
        self._switched: dict[str, list[list[float]]] = json.loads(self.store.remembered(_SWITCHED, "{}"))
        self._outages: dict[str, tuple[Outage, ...]] = {}
        for name, kept in self.store.states():
            if endpoint := self.endpoints.get(name):
                endpoint.state = kept

    def _refuse_other_run(self) -> None:
        seed = str(self.scenario.seed)
        if (kept := self.store.remembered("seed", seed)) != seed:
            raise FleetError(
                "the state belongs to a run with another seed",
                found=f"seed {kept} in the state, {seed} in the scenario",
                remedy="give another --state, or the scenario of that run",
            )

    def arrive(self, endpoint: Endpoint) -> Decision:
        """Count a request that reached an endpoint, and decide its fate."""
        now = self.clock.now()
        state = self._state(endpoint, now)
        if self.is_dark(endpoint) or now < state.unreachable_until:
            return Decision(0.0, Mishap.REFUSED)
        state.requests += 1
        return endpoint.behaviour.decide(endpoint.name, state.requests)

    def is_dark(self, endpoint: Endpoint) -> bool:
        """Whether the endpoint has no power."""
        return lifecycle.is_dark(self.outages(endpoint.rack), self.clock.now())

    def is_reachable(self, endpoint: Endpoint) -> bool:
        now = self.clock.now()
        return not self.is_dark(endpoint) and now >= self._state(endpoint, now).unreachable_until

    def handle(self, endpoint: Endpoint, request: Request) -> Answer:
        """Do a request. What it changed is kept before the answer is returned."""
        now = self.clock.now()
        path, _, query = request.target.partition("?")
        call = Call(
            request.method,
            path.rstrip("/") or "/",
            endpoint=endpoint,
            state=self._state(endpoint, now),
            now=now,
            durations=self.scenario.durations,
            query=query,
            headers=request.headers,
            body=request.body,
            compression=self.clock.compression,
        )
        try:
            answer = self._answer(call)
        except Refusal as refusal:
            answer = refusal.answer
        if call.changed:
            self.store.save([(endpoint.name, call.state)], call.entries)
        return answer

    def _answer(self, call: Call) -> Answer:
        tree = TREES[call.endpoint.entry.kind]
        is_read = call.method in ("GET", "HEAD")
        if call.path == "/redfish" and is_read:
            return ok({"v1": f"{ROOT}/"})
        is_open = (is_read and call.path in (ROOT, METADATA, ODATA)) or (
            call.method == "POST" and call.path in (accounts.SESSIONS, f"{accounts.SESSIONS}/Members")
        )
        if not is_open:
            accounts.authenticate(call)
        if (wanted := call.headers.get("if-match")) and call.method in ("PATCH", "PUT", "DELETE"):
            shown = tree.shown(call, call.path)
            if shown is not None and wanted not in ("*", etag(json.dumps(shown).encode())):
                raise refuse(412, Message("PreconditionFailed", "The ETag supplied did not match the current one."))
        answer = tree.answer(call)
        if is_read and answer.status == 200:
            return Answer(200, answer.body, (*answer.headers, ("ETag", etag(answer.body))), answer.type)
        return answer

    def _state(self, endpoint: Endpoint, now: float) -> State:
        """The endpoint's state, made at its first request and brought up to date at each."""
        state = endpoint.state
        if state is None:
            state = endpoint.state = State(on=endpoint.hardware.starts_on)
            accounts.deliver(endpoint, state, must_change=self.scenario.factory_password_must_change)
        outages = self.outages(endpoint.rack)
        back_s = 0.0
        if outages:
            spread = self.scenario.durations.bmc_reset.spread
            back_s = endpoint.behaviour.duration(spread, endpoint.name, len(outages), "power back")
        lifecycle.settle(state, endpoint.hardware, outages, now, back_s)
        return state

    def outages(self, rack: str) -> tuple[Outage, ...]:
        """When a rack has no power: by the scenario, or because somebody switched it off."""
        found = self._outages.get(rack)
        if found is None:
            switched = [Outage(rack=rack, at_s=a, for_s=b - a) for a, b in self._switched.get(rack, []) if b > a]
            every = sorted([*self._planned[rack], *switched], key=lambda o: o.at_s)
            found = self._outages[rack] = tuple(every)
        return found

    def switch_rack(self, rack: str, *, on: bool) -> None:
        """Take a rack's power away, or give it back."""
        if rack not in {e.rack for e in self.endpoints.values()}:
            raise FleetError(f"no rack is called {rack}", remedy="fleet.json names them")
        now, windows = self.clock.now(), self._switched.setdefault(rack, [])
        is_off = bool(windows) and now < windows[-1][1]
        if on and is_off:
            windows[-1][1] = now
        elif not on and not is_off:
            windows.append([now, _FOREVER])
        self._outages.pop(rack, None)
        self.store.remember(_SWITCHED, json.dumps(self._switched))

    def ledger(self) -> dict[str, dict[str, int]]:
        """What was done to each endpoint, by count; endpoints to which nothing was done are left out."""
        return {name: dict(e.state.ledger) for name, e in self.endpoints.items() if e.state and e.state.ledger}

    def entries(self) -> Iterator[Entry]:
        """The ledger's lines."""
        return (entry for _, entry in self.store.entries())

    def totals(self) -> dict[str, float]:
        """Figures of the run."""
        touched = [e for e in self.endpoints.values() if e.state]
        return {
            "simulated_s": round(self.clock.now(), 3),
            "endpoints": len(self.endpoints),
            "touched": len(touched),
            "requests": sum(e.state.requests for e in touched if e.state),
            "peak_in_flight": max((e.peak for e in touched), default=0),
        }

    def close(self) -> None:
        """Keep what was only counted so far."""
        self.store.save([(e.name, e.state) for e in self.endpoints.values() if e.state])
        self.store.close()
