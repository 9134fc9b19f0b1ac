"""The stage that edges are tried on: regions with a service in several, their plan, and a world that plays it."""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from components.plan.edges import SteeringPlan
from components.plan.renders.steering import config, steering_files
from lab.edges import gdnsd
from lab.edges.client import Client
from lab.edges.description import Distances, Point
from lab.edges.edge import Edge
from lab.edges.programs import Programs
from lab.edges.stand_in import EdgeStandIn
from lab.edges.world import NameServer, World
from tests.edge_cluster import ClusterEdge
from tests.edge_world import SERVICES, all_regions, plan_of, project, steering_of

NEAR, FAR = "near.shop.global.serve.internal", "far.shop.global.serve.internal"
TENANT = "shop"
OURS = "ours.shop.eu.serve.internal"
LOCAL_MS = 2.0
"""Round trip in one city; the catalogue has none."""


@dataclass(frozen=True)
class Stage:
    """The world and the plan that it plays."""

    plan: SteeringPlan
    world: World
    clients: dict[str, Client]

    @property
    def addresses(self) -> dict[str, str]:
        """Address -> region."""
        return {edge.address: edge.region for edge in self.plan.edges}

    @property
    def in_union(self) -> set[str]:
        return {edge.address for edge in self.plan.edges if edge.in_union}

    def requests_of(self, region: str) -> list[dict[str, Any]]:
        """All that reached an edge, which is a stand-in."""
        edge = self.world.edges[region]
        assert isinstance(edge, EdgeStandIn)
        return edge.requests()

    def server(self, name: str) -> str:
        return next(server.address for server in self.plan.name_servers if server.name == name)

    def try_eu(self, servers: Sequence[str], *, cut: Collection[str] = ()) -> set[str]:
        """Ask for the EU name in all ways from all sites but those that are cut; every address that came out."""
        clients = [client for site, client in self.clients.items() if site not in cut]
        with ThreadPoolExecutor(len(clients)) as pool:
            found = [pool.submit(self._tried, client, servers) for client in clients]
            return {address for each in found for address in each.result()}

    def _tried(self, client: Client, servers: Sequence[str]) -> set[str]:
        found: set[str] = set()
        for server in servers:
            for kind in ("A", "AAAA", "ANY"):
                # A busy bench may lose a packet's time: a resolver asks again too.
                asked = (client.ask(OURS, server, kind=kind) for _ in range(3))
                answer = next((each for each in asked if each is not None), None)
                assert answer is not None, f"{server} does not answer"
                assert answer.code == "NOERROR", f"{kind}: {answer.code}"
                found |= set(answer.addresses)
        return found

    def try_eu_for_others(self, server: str) -> set[str]:
        """The same, as a resolver in Paris asks that tells the networks of its clients."""
        found: set[str] = set()
        for network in [n.network for n in self.plan.networks] + ["203.0.113.0/24"]:
            answer = self.clients["paris"].ask(OURS, server, subnet=str(ip_network(network).network_address))
            assert answer is not None
            assert answer.code == "NOERROR"
            found |= set(answer.addresses)
        return found


@contextmanager
def staged(folder: Path, services: str = SERVICES, clusters: Collection[str] = ()) -> Generator[Stage]:
    """The stage, in a folder of its own; gone afterwards. Edges are stand-ins but for the `clusters`, by region."""
    regions_folder = project(folder, services)
    regions = all_regions(regions_folder)
    plan = plan_of(steering_of(regions_folder), regions)
    rendered = list(steering_files(plan))
    program = gdnsd.program(folder)
    site_of = {edge.region: edge.site for edge in plan.edges}
    servers = {s.name: _name_server(plan, s.name, folder, rendered, site_of[s.region]) for s in plan.name_servers}
    for server in servers.values():
        program.check(server.config)
    latencies = regions["paris"].catalogue.latencies
    between = {(min(pair.between), max(pair.between)): pair.planning_ms for pair in latencies}
    points = [_client(network.site, network.network) for network in plan.networks]
    programs = Programs(folder)
    edges: dict[str, Edge] = {}
    for edge in plan.edges:
        point = Point(name=f"e-{edge.region}", site=edge.site, addresses=(edge.address,))
        if edge.region in clusters:
            edges[edge.region] = ClusterEdge(folder / f"cluster-{edge.region}", regions[edge.region], TENANT, point)
        else:
            edges[edge.region] = _stand_in(plan, point, edge.region, programs)
    world = World(folder, Distances(between=between, local_ms=LOCAL_MS), points, edges, servers, program)
    with world:
        yield Stage(plan, world, {point.site: world.client(point.name) for point in points})


def _client(site: str, network: str) -> Point:
    return Point(name=f"c-{site}", site=site, addresses=(str(ip_network(network)[10]),))


def _stand_in(plan: SteeringPlan, point: Point, region: str, programs: Programs) -> EdgeStandIn:
    return EdgeStandIn(
        region=region,
        point=point,
        programs=programs,
        hosts=tuple(service.host for service in plan.services if region in plan.pool(service.pool).regions),
        health=plan.health.path,
        port=plan.health.port,
        relay_to=None if region == "essonne" else plan.edge("essonne").address,
        # Only what may be answered from anywhere is relayed; a service of class EU would be answered from here.
        relayed=() if region == "essonne" else (FAR,),
    )


def _name_server(
    plan: SteeringPlan, name: str, folder: Path, rendered: Sequence[tuple[str, str]], site: str
) -> NameServer:
    server = next(each for each in plan.name_servers if each.name == name)
    for path, text in rendered:
        if path.startswith(f"{name}/"):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
    own = folder / f"{name}-own"
    for each in ("run", "state"):
        (own / each).mkdir(parents=True)
    # Three servers share this machine's folders, so each has its own; all else is as rendered.
    (folder / name / "config").write_text(config(plan, server, str(own / "run"), str(own / "state")))
    point = Point(name=name, site=site, addresses=(server.address,))
    return NameServer(point=point, config=folder / name)
