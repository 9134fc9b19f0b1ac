"""Rules over the steering and all regions that it names. Each has a stable id and a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

from components.errors import Problem
from components.plan.serving import GATEWAY_PORT
from components.spec.limits import UNION
from components.spec.region import Region
from components.spec.rules.sovereignty import site_of
from components.spec.service import Sovereignty
from components.spec.services import Placed, services_of
from components.spec.steering import Steering

FILE = "stacks/regions/_steering.yaml"
Rule = Callable[[Steering, Sequence[Region]], Iterator[Problem]]


def edges_are_regions(steering: Steering, regions: Sequence[Region]) -> Iterator[Problem]:
    """Every edge and every name server is in a region that is described."""
    known = sorted(region.region for region in regions)
    named = [(f"edges.{name}", name) for name in steering.edges]
    named += [(f"name_servers[{n}].region", server.region) for n, server in enumerate(steering.name_servers)]
    for path, name in named:
        if name not in known:
            yield _problem(
                "steering-region-unknown",
                path,
                "there is no such region",
                found=name,
                allowed=", ".join(known),
                remedy="describe the region, or name another one",
            )


def failed_edges_are_left_in_time(steering: Steering, regions: Sequence[Region]) -> Iterator[Problem]:
    """Interval x failures + timeout + time to live is within `left_within_s`."""
    if steering.worst_s > steering.left_within_s:
        health = steering.health
        yield _problem(
            "edge-left-late",
            "left_within_s",
            "clients would be sent to a dead edge for longer than promised",
            found=f"{health.interval_s} s x {health.failures} + {health.timeout_s} s + {steering.ttl_s} s"
            f" = {steering.worst_s} s",
            allowed=f"at most {steering.left_within_s} s",
            remedy="ask more often, take fewer failures, or let resolvers keep answers for a shorter time",
        )


def health_checks_can_be_answered(steering: Steering, regions: Sequence[Region]) -> Iterator[Problem]:
    """A health check may take as long as a connection and an answer over the longest way take, and twice that; the
    next one begins when it has ended."""
    longest = max((rtt for *_, rtt in _ways(steering, regions) if rtt is not None), default=0.0)
    needed_s = 4 * longest / 1000  # two round trips, and as much again
    health = steering.health
    if health.timeout_s < needed_s:
        yield _problem(
            "edge-health-timeout",
            "health.timeout_s",
            "an edge that is well, but far, would be taken for dead",
            found=f"{health.timeout_s} s for a round trip of {longest:g} ms",
            allowed=f"at least {needed_s:g} s: two round trips, and as much again",
            remedy="give the check more time, or keep the name servers nearer to the edges",
        )
    if health.timeout_s > health.interval_s:
        yield _problem(
            "edge-health-interval",
            "health.interval_s",
            "the next check would begin before the last one has ended",
            found=f"every {health.interval_s} s, with {health.timeout_s} s to answer",
            allowed=f"at least {health.timeout_s} s",
            remedy="ask less often, or give the check less time",
        )


def gateways_are_asked_where_they_listen(steering: Steering, regions: Sequence[Region]) -> Iterator[Problem]:
    """An edge without an address of its own is asked at its gateway, which has one port for plain HTTP."""
    direct = [name for name, edge in steering.edges.items() if edge.address is None]
    if direct and steering.health.port != GATEWAY_PORT:
        yield _problem(
            "edge-health-port",
            "health.port",
            "no gateway answers there",
            found=f"{steering.health.port} for {', '.join(direct)}",
            allowed=str(GATEWAY_PORT),
            remedy="ask at the gateway's port, or give these edges the address that leads from this port to it",
        )


def _ways(steering: Steering, regions: Sequence[Region]) -> Iterator[tuple[str, str, float | None]]:
    """From every name server to every edge."""
    by_name = {region.region: region for region in regions}
    for server in steering.name_servers:
        for name in steering.edges:
            if server.region in by_name and name in by_name:
                one, other = site_of(by_name[server.region]), site_of(by_name[name])
                between = regions[0].catalogue.latency(one, other)
                yield one, other, 0.0 if one == other else between.planning_ms if between else None


def every_way_has_a_delay(steering: Steering, regions: Sequence[Region]) -> Iterator[Problem]:
    """The order of edges follows from the catalogue's delays, so there is one from each site of clients to each edge."""
    catalogue = regions[0].catalogue
    for site in steering.clients:
        for region in regions:
            here = site_of(region)
            if region.region in steering.edges and site != here and catalogue.latency(site, here) is None:
                yield _problem(
                    "steering-delay-unknown",
                    f"clients.{site}",
                    f"nothing says how far {here} is from these clients",
                    found=site,
                    allowed=", ".join(sorted(catalogue.sites)),
                    remedy="add the delay to _catalogue/latency.yaml, or name a site that has one",
                )


def client_networks_are_apart(steering: Steering, regions: Sequence[Region]) -> Iterator[Problem]:
    """A client is near one site."""
    networks = [(site, network) for site, each in steering.clients.items() for network in each]
    for (one, first), (other, second) in combinations(networks, 2):
        if first.version == second.version and (
            int(first.network_address) <= int(second.broadcast_address)
            and int(second.network_address) <= int(first.broadcast_address)
        ):
            yield _problem(
                "steering-networks-overlap",
                f"clients.{other}",
                "the same clients would be near two sites",
                found=f"{second}, and {first} of {one}",
                allowed="networks that have no address in common",
                remedy="take it out of one of them",
            )


def eu_names_have_name_servers_in_the_union(steering: Steering, regions: Sequence[Region]) -> Iterator[Problem]:
    """Names of services of class EU are answered by name servers in the Union, in two regions at least (RES-01)."""
    inside = {region.region for region in regions if region.site.country in UNION}
    found = sorted({server.region for server in steering.name_servers if server.region in inside})
    if len(found) < 2:
        yield _problem(
            "steering-name-servers",
            "name_servers",
            "while one region is down, nobody in the Union would answer for EU-only services",
            found=", ".join(found) or "none in the Union",
            allowed="name servers in two regions of the Union at least",
            remedy="add one in another region",
        )


def services_are_at_edges(steering: Steering, regions: Sequence[Region]) -> Iterator[Problem]:
    """A service that lists several regions lists edges only, and one of class EU those of the Union only."""
    inside = {region.region for region in regions if region.site.country in UNION}
    seen: set[str] = set()
    for region in regions:
        for placed in services_of(region):
            if len(placed.service.regions) < 2 or placed.name in seen:
                continue
            seen.add(placed.name)
            yield from _service_faults(steering, placed, inside)


def _service_faults(steering: Steering, placed: Placed, inside: set[str]) -> Iterator[Problem]:
    for name in placed.service.regions:
        if name not in steering.edges:
            yield _problem(
                "steering-edge-missing",
                "edges",
                f"{placed.name} runs in a region to which nobody would be sent",
                found=name,
                allowed=", ".join(steering.edges),
                remedy="make it an edge here, or take it off the service's list",
            )
        elif placed.sovereignty is Sovereignty.EU and name not in inside:
            yield _problem(
                "steering-outside-union",
                "edges",
                f"{placed.name} is of class EU and would be answered from outside the Union",
                found=name,
                allowed=", ".join(n for n in steering.edges if n in inside),
                remedy="take the region off the service's list; from the Union, Asia is never near",
            )


def problems_of(steering: Steering, regions: Sequence[Region]) -> Iterator[Problem]:
    """All of them; where a region is not known, no other rule could judge."""
    unknown = list(edges_are_regions(steering, regions))
    yield from unknown
    for rule in () if unknown else RULES:
        yield from rule(steering, regions)


def _problem(rule: str, path: str, message: str, *, found: str, allowed: str, remedy: str) -> Problem:
    return Problem(
        path=path, message=message, found=found, allowed=allowed, remedy=remedy, file=FILE, line=1, rule=rule
    )


ABOUT = {
    "steering-region-unknown": "Every edge and every name server is in a region that is described.",
    "edge-left-late": "Interval x failures + timeout + time to live is within `left_within_s`.",
    "edge-health-timeout": "A health check may take as long as the longest way from a name server to an edge asks for.",
    "edge-health-interval": "A health check has ended before the next one begins.",
    "edge-health-port": "An edge without an address of its own is asked at the port of its gateway.",
    "steering-delay-unknown": "There is a delay from each site of clients to each edge: the order of edges follows from it.",
    "steering-networks-overlap": "A client is near one site.",
    "steering-name-servers": "Names of services of class EU are answered by name servers in two regions of the Union (RES-01).",
    "steering-edge-missing": "A service that lists several regions lists edges only.",
    "steering-outside-union": "A service of class EU is answered by edges of the Union only (RES-04).",
}
"""Id -> what must hold."""

RULES: tuple[Rule, ...] = (
    failed_edges_are_left_in_time,
    health_checks_can_be_answered,
    gateways_are_asked_where_they_listen,
    every_way_has_a_delay,
    client_networks_are_apart,
    eu_names_have_name_servers_in_the_union,
    services_are_at_edges,
)
