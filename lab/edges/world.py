"""All of it together: namespaces, the distance between them, edges, name servers. Gone when the `with` ends.

Every program is a child that is known by its process; nothing is searched by name. An interrupt ends the `with`
like anything else. A kill leaves namespaces behind, without programs that matter: the next start removes them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from lab import shell
from lab.edges import netem, spaces
from lab.edges.client import Client
from lab.edges.delay_link import DEVICE
from lab.edges.description import Distances, Point, as_data
from lab.edges.gdnsd import Program
from lab.errors import LabError

_PROJECT = Path(__file__).parents[2]
_PATIENCE_S = 60


@dataclass(frozen=True, kw_only=True)
class EdgeStandIn:
    """An edge: its point, and the hosts of the services that are placed there."""

    point: Point
    hosts: tuple[str, ...]
    health: str
    port: int
    relay_to: str | None = None
    """Address of the edge that it hands on to, for a request whose path begins with `/relay/`."""
    relayed: tuple[str, ...] = ()
    """Hosts that it does so for."""


@dataclass(frozen=True, kw_only=True)
class NameServer:
    """A name server: its point, and the folder with its configuration."""

    point: Point
    config: Path


class World:
    """Clients, edges and name servers at their distances."""

    def __init__(
        self,
        folder: Path,
        distances: Distances,
        clients: Sequence[Point],
        edges: Mapping[str, EdgeStandIn],
        name_servers: Mapping[str, NameServer],
        gdnsd: Program,
    ) -> None:
        self.folder = folder
        self.distances = distances
        self.edges = edges
        self.name_servers = name_servers
        self.gdnsd = gdnsd
        self.points = (*clients, *(e.point for e in edges.values()), *(s.point for s in name_servers.values()))
        self.spaces = {point.name: spaces.name_of(point.name) for point in self.points}
        self.kind = "netem" if netem.is_there() else "a delay link over TUN, which stands in for distance"
        self._programs: dict[str, subprocess.Popen[bytes]] = {}
        self._insides: list[spaces.Inside] = []

    def __enter__(self) -> World:
        try:
            spaces.remove(spaces.leftovers())
            spaces.create(self.spaces.values())
            self._make_distance()
            for region in self.edges:
                self._launch_edge(region)
            for region in self.edges:
                self._wait_for(self._output(region), "listens", f"edge-{region}")
            for name, server in self.name_servers.items():
                space, log = self.spaces[server.point.name], self.folder / f"{name}.log"
                self._programs[name] = self.gdnsd.start(space, server.config, log)
            for name in self.name_servers:
                self._wait_for(self.folder / f"{name}.log", "DNS listeners started", name)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def client(self, point: str, servers: Sequence[str] | None = None) -> Client:
        """A new client at a point, with nothing kept; by default it asks all name servers in their order."""
        inside = spaces.Inside(self.spaces[point])
        self._insides.append(inside)
        addresses = [server.point.addresses[0] for server in self.name_servers.values()]
        return Client(inside, servers or addresses)

    def stop_edge(self, region: str) -> None:
        """The edge's program dies; its address stays, and refuses."""
        self._end(f"edge-{region}")

    def start_edge(self, region: str) -> None:
        """The edge's program, unless it runs, and wait until it listens."""
        if f"edge-{region}" in self._programs:
            return
        self._launch_edge(region)
        self._wait_for(self._output(region), "listens", f"edge-{region}")

    def _output(self, region: str) -> Path:
        return self.folder / f"edge-{region}.out"

    def _launch_edge(self, region: str) -> None:
        edge = self.edges[region]
        document = {
            "region": region,
            "address": edge.point.addresses[0],
            "port": edge.port,
            "hosts": list(edge.hosts),
            "health": edge.health,
            "relay_to": edge.relay_to,
            "relayed": list(edge.relayed),
            "log": str(self.log_of(region)),
        }
        path = self.folder / f"edge-{region}.json"
        path.write_text(json.dumps(document))
        space = self.spaces[edge.point.name]
        words = ["ip", "netns", "exec", space, *_module("endpoint"), str(path)]
        self._start(f"edge-{region}", words, self._output(region))

    def cut(self, site: str) -> None:
        """Nothing comes from or to a site, not even a refusal."""
        self._command("cut", site)

    def join(self, site: str) -> None:
        """The site is there again."""
        self._command("join", site)

    def log_of(self, region: str) -> Path:
        """Every request that reached an edge, one JSON line each; without health checks."""
        return self.folder / f"edge-{region}.requests"

    def requests_of(self, region: str) -> list[dict[str, Any]]:
        """The same, read."""
        path = self.log_of(region)
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def close(self) -> None:
        """End what was started and remove what was made; again is no error."""
        for inside in self._insides:
            inside.close()
        for name in list(self._programs):
            self._end(name)
        spaces.remove([*self.spaces.values(), netem.hub_name()])

    def _make_distance(self) -> None:
        document = as_data(self.points, self.distances, self.spaces)
        path = self.folder / "distance.json"
        path.write_text(json.dumps(document, indent=1))
        if netem.is_there():
            netem.build(document)
            return
        output = self.folder / "delay-link.out"
        self._start("delay-link", [*_module("delay_link"), str(path)], output, has_commands=True)
        self._wait_for(output, "ready", "delay-link")
        for point in self.points:
            space = self.spaces[point.name]
            lines = [f"address add {address}/32 dev {DEVICE}" for address in point.addresses]
            lines += [f"link set {DEVICE} up", f"route add default dev {DEVICE} src {point.addresses[0]}"]
            shell.run("ip", "-n", space, "-batch", "-", stdin="".join(f"{line}\n" for line in lines))

    def _command(self, verb: str, site: str) -> None:
        link = self._programs.get("delay-link")
        if link is None:
            netem.set_site([p for p in self.points if p.site == site], self.spaces, is_up=verb == "join")
        elif link.stdin:
            link.stdin.write(f"{verb} {site}\n".encode())
            link.stdin.flush()

    def _start(self, name: str, words: list[str], output: Path, *, has_commands: bool = False) -> None:
        with output.open("wb") as sink:
            self._programs[name] = subprocess.Popen(
                words,
                stdin=subprocess.PIPE if has_commands else subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                cwd=_PROJECT,
            )

    def _end(self, name: str) -> None:
        child = self._programs.pop(name, None)
        if child is None:
            return
        if child.stdin:
            child.stdin.close()
        child.terminate()
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def _wait_for(self, output: Path, words: str, name: str) -> None:
        until = time.monotonic() + _PATIENCE_S
        while words not in (text := output.read_text(errors="replace") if output.exists() else ""):
            if self._programs[name].poll() is not None or time.monotonic() > until:
                raise LabError(f"{name} did not start", found=text.strip()[-800:] or "nothing was said")
            time.sleep(0.05)


def _module(name: str) -> list[str]:
    return [sys.executable, "-S", "-m", f"lab.edges.{name}"]  # only what Python itself brings
