"""The fleet's own HTTP service, beside the BMCs: the ledger to read, and racks to switch off.

No BMC has it. Loopback only, without authentication: who can reach it can also end the simulator.

    GET  /ledger              counts by endpoint
    GET  /entries             each line: simulated time, endpoint, deed, detail
    GET  /totals              requests, endpoints touched, most requests in flight at an endpoint
    POST /racks/NAME          {"power": "on" | "off"}
"""

from __future__ import annotations

import json
from typing import Any

from lab.fleet.answers import Answer, ok
from lab.fleet.errors import FleetError
from lab.fleet.fleet import Fleet, Request
from lab.fleet.http import Connection


class Control(Connection):
    """A connection to the control service."""

    __slots__ = ("_fleet",)

    def __init__(self, fleet: Fleet, open_connections: set[Connection]) -> None:
        super().__init__(open_connections)
        self._fleet = fleet

    def work(self, request: Request) -> None:
        self.send(answer(self._fleet, request))


def answer(fleet: Fleet, request: Request) -> Answer:
    """What the service answers."""
    path = request.target.partition("?")[0]
    match request.method, path.strip("/").split("/"):
        case "GET", ["ledger"]:
            return ok(fleet.ledger())
        case "GET", ["entries"]:
            return ok({"entries": [entry._asdict() for entry in fleet.entries()]})
        case "GET", ["totals"]:
            return ok(fleet.totals())
        case "POST", ["racks", rack]:
            return _switch(fleet, rack, request.body)
        case _:
            return ok({"error": "no such thing: see lab/fleet/control.py"}, 404)


def _switch(fleet: Fleet, rack: str, body: bytes) -> Answer:
    try:
        asked: Any = json.loads(body)
    except ValueError:
        asked = None
    match asked:
        case {"power": "on" | "off" as wanted}:
            pass
        case _:
            return ok({"error": 'the body is {"power": "on"} or {"power": "off"}'}, 400)
    try:
        fleet.switch_rack(rack, on=wanted == "on")
    except FleetError as error:
        return ok({"error": str(error)}, 404)
    return Answer(204)
