"""Compiles the steering of all regions. Pure: the same descriptions give the same plan, in whatever order they come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from components.errors import SpecError
from components.plan.addressing import address
from components.plan.edges.model import (
    EdgePlan,
    HealthPlan,
    NameServerPlan,
    NetworkPlan,
    OrderPlan,
    PoolPlan,
    SteeredService,
    SteeringPlan,
)
from components.plan.edges.rules import problems_of
from components.spec.catalogue.catalogue import Catalogue
from components.spec.derive import steered_domain
from components.spec.limits import UNION
from components.spec.region import Region
from components.spec.rules.sovereignty import site_of
from components.spec.service import Sovereignty
from components.spec.services import services_of
from components.spec.steering import Steering


def compile_steering(steering: Steering, regions: Sequence[Region]) -> SteeringPlan:
    """The whole plan. `regions` are those of `steering.edges`. Raises SpecError with every problem."""
    problems = list(problems_of(steering, regions))
    if problems:
        raise SpecError(f"steering: {len(problems)} problems; nothing has been touched", problems)
    by_name = {region.region: region for region in regions}
    edges = tuple(_edge(steering, name, by_name[name]) for name in steering.edges)
    found = _services(steering, [by_name[name] for name in steering.edges])
    services = tuple(service for service, _ in found)
    pools = {service.pool: (service.sovereignty, members) for service, members in found}
    catalogue = regions[0].catalogue
    sites = {edge.region: edge.site for edge in edges}
    health = steering.health
    return SteeringPlan(
        domain=steering.domain,
        edges=edges,
        name_servers=tuple(_name_servers(steering, edges, by_name)),
        networks=tuple(
            NetworkPlan(network=str(network), site=site)
            for site, networks in sorted(steering.clients.items())
            for network in networks
        ),
        pools=tuple(
            _pool(name, sovereignty, members, steering, sites, catalogue)
            for name, (sovereignty, members) in sorted(pools.items())
        ),
        services=services,
        health=HealthPlan(**health.model_dump()),
        ttl_s=steering.ttl_s,
        worst_s=steering.worst_s,
    )


def _edge(steering: Steering, name: str, region: Region) -> EdgePlan:
    given = steering.edges[name].address
    gateway = address(region.pools.service_vips, region.runtime.gateway.vip_id)
    return EdgePlan(
        region=name,
        site=site_of(region),
        country=region.site.country,
        address=str(given) if given else gateway,
        in_union=region.site.country in UNION,
    )


def _name_servers(
    steering: Steering, edges: Sequence[EdgePlan], regions: Mapping[str, Region]
) -> Iterator[NameServerPlan]:
    inside = {edge.region for edge in edges if edge.in_union}
    for server in steering.name_servers:
        classes = (Sovereignty.EU, Sovereignty.ANY) if server.region in inside else (Sovereignty.ANY,)
        yield NameServerPlan(
            name=server.name,
            region=server.region,
            address=str(server.address),
            classes=classes,
            ssh_key=regions[server.region].credentials.ssh_key,
        )


def _services(steering: Steering, regions: Sequence[Region]) -> list[tuple[SteeredService, tuple[str, ...]]]:
    """Each service that lists several regions once, and its edges; a region that takes it from its home has it too."""
    found: dict[str, tuple[SteeredService, tuple[str, ...]]] = {}
    for region in regions:
        for placed in services_of(region):
            if not placed.is_steered:
                continue
            members = tuple(name for name in steering.edges if name in placed.service.regions)
            pool = "-".join((placed.sovereignty, *sorted(members)))
            tenant, service = placed.tenant.tenant, placed.service.name
            steered = SteeredService(
                tenant=tenant,
                service=service,
                host=f"{service}.{steered_domain(tenant, placed.sovereignty, steering.domain)}",
                sovereignty=placed.sovereignty,
                pool=pool,
            )
            found.setdefault(placed.name, (steered, members))
    return [found[name] for name in sorted(found)]


def _pool(
    name: str,
    sovereignty: Sovereignty,
    members: tuple[str, ...],
    steering: Steering,
    sites: dict[str, str],
    catalogue: Catalogue,
) -> PoolPlan:
    orders = tuple(
        OrderPlan(site=site, regions=tuple(sorted(members, key=lambda m: (_rtt(catalogue, site, sites[m]), m))))
        for site in sorted(steering.clients)
    )
    return PoolPlan(name=name, sovereignty=sovereignty, regions=members, orders=orders)


def _rtt(catalogue: Catalogue, one: str, other: str) -> float:
    """Planned round trip, ms; that there is one, a rule has seen."""
    between = catalogue.latency(one, other)
    return 0.0 if one == other else between.planning_ms if between else float("inf")
