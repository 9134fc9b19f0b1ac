"""All of it together: namespaces, the distance between them, edges, name servers. Gone when the `with` ends.

Every program is a child that is known by its process; nothing is searched by name. An interrupt ends the `with`
like anything else. A kill leaves namespaces behind, without programs that matter, and control groups of machines: the
next start removes them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from lab import shell
from lab.edges import netem, spaces
from lab.edges.client import Client
from lab.edges.delay_link import DEVICE
from lab.edges.description import Distances, Point, as_data
from lab.edges.edge import Edge
from lab.edges.gdnsd import Program
from lab.edges.programs import Programs, module

_LINK = "delay-link"


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
        edges: Mapping[str, Edge],
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
        self._programs = Programs(folder)
        self._insides: list[spaces.Inside] = []

    def __enter__(self) -> World:
        try:
            spaces.remove(spaces.leftovers())
            spaces.create(self.spaces.values())
            self._make_distance()
            self._start_edges(self.edges.values())
            for name, server in self.name_servers.items():
                space, log = self.spaces[server.point.name], self._programs.output(name)
                self._programs.adopt(name, self.gdnsd.start(space, server.config, log))
            for name in self.name_servers:
                self._programs.wait_for(name, "DNS listeners started")
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
        """The edge dies; its address stays, and refuses."""
        self.edges[region].stop()

    def start_edge(self, region: str) -> None:
        """The edge, unless it runs, and wait until it answers."""
        if not self.edges[region].is_running:
            self._start_edges([self.edges[region]])

    def _start_edges(self, edges: Collection[Edge]) -> None:
        for edge in edges:
            edge.start(self.spaces[edge.point.name])
        # Side by side: a cluster takes minutes.
        with ThreadPoolExecutor(len(edges)) as pool:
            try:
                for waited in [pool.submit(edge.wait) for edge in edges]:
                    waited.result()
            except BaseException:
                for edge in edges:
                    edge.close()  # what is waited for comes to its end
                raise

    def cut(self, site: str) -> None:
        """Nothing comes from or to a site, not even a refusal."""
        self._command("cut", site)

    def join(self, site: str) -> None:
        """The site is there again."""
        self._command("join", site)

    def close(self) -> None:
        """End what was started and remove what was made; again is no error."""
        for inside in self._insides:
            inside.close()
        for edge in self.edges.values():
            edge.close()
        self._programs.end_all()
        spaces.remove([*self.spaces.values(), netem.hub_name()])

    def _make_distance(self) -> None:
        document = as_data(self.points, self.distances, self.spaces)
        path = self.folder / "distance.json"
        path.write_text(json.dumps(document, indent=1))
        if netem.is_there():
            netem.build(document)
            return
        self._programs.start(_LINK, [*module("delay_link"), path], has_commands=True)
        self._programs.wait_for(_LINK, "ready")
        for point in self.points:
            space = self.spaces[point.name]
            lines = [f"address add {address}/32 dev {DEVICE}" for address in point.addresses]
            lines += [f"link set {DEVICE} up", f"route add default dev {DEVICE} src {point.addresses[0]}"]
            shell.run("ip", "-n", space, "-batch", "-", stdin="".join(f"{line}\n" for line in lines))

    def _command(self, verb: str, site: str) -> None:
        if _LINK in self._programs:
            self._programs.command(_LINK, f"{verb} {site}")
        else:
            netem.set_site([p for p in self.points if p.site == site], self.spaces, is_up=verb == "join")
