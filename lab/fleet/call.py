"""One request to one endpoint, and what it may do."""

from __future__ import annotations

import json
from typing import Any, cast

from lab.fleet.answers import Json, bad_value, malformed, missing, read_only, refuse, unknown
from lab.fleet.chance import Lognormal
from lab.fleet.endpoint import Endpoint
from lab.fleet.hardware.model import Hardware
from lab.fleet.scenario import Durations
from lab.fleet.state import Deed, State
from lab.fleet.store import Entry


class Call:
    """A request, the endpoint that it came to, and that endpoint's state, up to date."""

    __slots__ = (
        "body",
        "changed",
        "compression",
        "durations",
        "endpoint",
        "entries",
        "headers",
        "method",
        "now",
        "path",
        "query",
        "state",
        "user",
    )

    def __init__(
        self,
        method: str,
        path: str,
        *,
        endpoint: Endpoint,
        state: State,
        now: float,
        durations: Durations,
        query: str = "",
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        compression: float = 1,
    ) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers or {}
        self.body = body
        self.endpoint = endpoint
        self.state = state
        self.now = now
        """Simulated seconds."""
        self.durations = durations
        self.compression = compression
        self.user = ""
        self.changed = False
        """Whether the state has to be kept."""
        self.entries: list[Entry] = []
        """What is to be written into the ledger."""

    @property
    def hardware(self) -> Hardware:
        return self.endpoint.hardware

    def json(self) -> Json:
        """The body, which must be an object."""
        try:
            found: Any = json.loads(self.body)
        except ValueError:
            raise malformed() from None
        if not isinstance(found, dict):
            raise malformed()
        return cast("Json", found)

    def fields(self, **allowed: type | tuple[str, ...]) -> Json:
        """The body, with no property but those allowed, each of its type or one of its values."""
        found = self.json()
        problems = [
            unknown(name) if name.startswith("@") or name not in _KNOWN else read_only(name)
            for name in found
            if name not in allowed
        ]
        for name, rule in allowed.items():
            if name not in found:
                continue
            value = found[name]
            if isinstance(rule, tuple):
                if value not in rule:
                    problems.append(bad_value(value, name, " or ".join(rule)))
            elif not isinstance(value, rule) or (rule is int and isinstance(value, bool)):
                problems.append(bad_value(value, name))
        if problems:
            raise refuse(400, *problems)
        return found

    def required(self, **allowed: type | tuple[str, ...]) -> Json:
        """As `fields`, and each of them must be there."""
        found = self.fields(**allowed)
        for name in allowed:
            if name not in found:
                raise missing(name)
        return found

    def record(self, deed: Deed, detail: str = "") -> None:
        """Count something that was done to the endpoint."""
        self.changed = True
        self.state.ledger[deed] = self.state.ledger.get(deed, 0) + 1
        self.entries.append(Entry(round(self.now, 3), self.endpoint.name, deed, detail))

    def takes(self, what: str, spread: Lognormal) -> float:
        """How long the next piece of work of a sort takes, in simulated seconds."""
        self.changed = True
        number = self.state.next(what)
        return self.endpoint.behaviour.duration(spread, self.endpoint.name, number, what)

    def wall_s(self, simulated: float) -> float:
        """Simulated seconds as a client has to wait for them."""
        return simulated / self.compression


_KNOWN = frozenset(
    [
        "Id",
        "Name",
        "Description",
        "SerialNumber",
        "UUID",
        "Model",
        "Manufacturer",
        "PartNumber",
        "PowerState",
        "Status",
        "Boot",
        "SKU",
        "BiosVersion",
        "Links",
        "Actions",
        "FirmwareVersion",
        "SecureBootCurrentBoot",
        "UserName",
        "RoleId",
        "Attributes",
        "Oem",
        "Mode",
    ]
)
"""Properties that resources show and nobody may set, by which a refusal tells read-only from unknown."""
