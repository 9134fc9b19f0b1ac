"""An endpoint: what was delivered, how it behaves, and what has changed of it so far."""

from __future__ import annotations

import uuid
from typing import NamedTuple

from lab.fleet.behaviour import Behaviour
from lab.fleet.description import Entry
from lab.fleet.hardware import HARDWARE
from lab.fleet.hardware.model import Hardware
from lab.fleet.state import State

_SYSTEMS = uuid.UUID("3d6a2c0e-5a0b-4f0e-8a56-0c1f5c6f7a20")


class Endpoint:
    """A BMC of the fleet."""

    __slots__ = ("behaviour", "entry", "in_line", "name", "peak", "place", "rack", "state")

    def __init__(self, rack: str, place: str, entry: Entry, behaviour: Behaviour) -> None:
        self.name = f"{rack}/{place}"
        self.rack = rack
        self.place = place
        self.entry = entry
        self.behaviour = behaviour
        self.state: State | None = None
        self.in_line: list[float] = []
        """When each request that is in it will have been worked off, by the event loop's clock."""
        self.peak = 0
        """Most requests that were in it at a time."""

    @property
    def hardware(self) -> Hardware:
        return HARDWARE[self.entry.kind]

    @property
    def serial(self) -> str:
        """What it shows, which may not be what was delivered."""
        serial = self.entry.serial
        return f"{serial[:-1]}{'X' if serial[-1] != 'X' else 'Y'}" if self.behaviour.wrong_serial else serial

    @property
    def factory_password(self) -> str:
        password = self.entry.bmc_password
        return password[::-1] if self.behaviour.wrong_password else password

    def uuid(self, of: str) -> str:
        """Identity of one of its systems or of its service."""
        return str(uuid.uuid5(_SYSTEMS, f"{self.entry.serial}/{of}"))


class Arrival(NamedTuple):
    """Where a request stands in an endpoint's line."""

    wait_s: float
    """Until it has been worked off."""
    is_refused: bool


def arrive(endpoint: Endpoint, now: float, service_s: float) -> Arrival:
    """Put a request in the line of an endpoint's workers; a full line refuses it.

    `now` is the event loop's time, as delays are not compressed.
    """
    line = endpoint.in_line = [done for done in endpoint.in_line if done > now]
    behaviour = endpoint.behaviour
    if len(line) >= behaviour.workers + behaviour.queue:
        return Arrival(0.0, True)
    # The earliest of the workers is the one that has the fewest requests before it to finish.
    free = sorted(line)[-behaviour.workers] if len(line) >= behaviour.workers else now
    line.append(free + service_s)
    endpoint.peak = max(endpoint.peak, len(line))
    return Arrival(free + service_s - now, False)
