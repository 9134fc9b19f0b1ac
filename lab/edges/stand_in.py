"""An edge that is one HTTP program: the light kind, for what is asked of names and distances alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.edges.description import Point
from lab.edges.programs import Programs, module


@dataclass(frozen=True, kw_only=True)
class EdgeStandIn:
    """Answers for the services that are placed there, and hands on to another edge."""

    region: str
    point: Point
    programs: Programs
    hosts: tuple[str, ...]
    """Of the services that are placed there."""
    health: str
    port: int
    relay_to: str | None = None
    """Address of the edge that it hands on to, for a request whose path begins with `/relay/`."""
    relayed: tuple[str, ...] = ()
    """Hosts that it does so for."""

    @property
    def is_running(self) -> bool:
        """Whether it was started, and not stopped since."""
        return self.name in self.programs

    @property
    def name(self) -> str:
        """Of its program and its files."""
        return f"edge-{self.region}"

    @property
    def log(self) -> Path:
        """Every request that reached it, one JSON line each; without health checks."""
        return self.programs.folder / f"{self.name}.requests"

    def start(self, namespace: str) -> None:
        """Run the program there."""
        document = {
            "region": self.region,
            "address": self.point.addresses[0],
            "port": self.port,
            "hosts": list(self.hosts),
            "health": self.health,
            "relay_to": self.relay_to,
            "relayed": list(self.relayed),
            "log": str(self.log),
        }
        path = self.programs.folder / f"{self.name}.json"
        path.write_text(json.dumps(document))
        self.programs.start(self.name, ["ip", "netns", "exec", namespace, *module("endpoint"), path])

    def wait(self) -> None:
        """Until it listens."""
        self.programs.wait_for(self.name, "listens")

    def stop(self) -> None:
        """The program dies."""
        self.programs.end(self.name)

    def close(self) -> None:
        """The same."""
        self.stop()

    def requests(self) -> list[dict[str, Any]]:
        """The log, read."""
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []
