"""Rules on latency: what is promised to people can be kept from where the service is."""

from __future__ import annotations

from collections.abc import Iterator

from components.spec.limits import UNION
from components.spec.region import Region
from components.spec.rules.rule import Fault, rule, unknown
from components.spec.rules.sovereignty import site_of
from components.spec.service import Sovereignty
from components.spec.services import Placed, services_of


def _rtt(region: Region, one: str, other: str) -> float | None:
    """Planned round trip, ms; None where the catalogue has none."""
    if one == other:
        return 0.0
    between = region.catalogue.latency(one, other)
    return between.planning_ms if between else None


@rule("latency-site", "region", "site", "tenants", "catalogue")
def clients_are_somewhere(region: Region) -> Iterator[Fault]:
    """The clients of a latency budget are near a site that has a delay to this region.

    Example: `clients: atlantis`.
    """
    here = site_of(region)
    for placed in services_of(region):
        service = placed.service
        if service.latency and _rtt(region, here, service.latency.clients) is None:
            known = [site for site in (*region.catalogue.sites, here) if _rtt(region, here, site) is not None]
            at = (*placed.at, "latency", "clients")
            yield unknown(at, f"site with a delay to {here}", service.latency.clients, known, "_catalogue/latency.yaml")


@rule("latency-budget", "region", "site", "tenants", "catalogue")
def budgets_can_be_kept(region: Region) -> Iterator[Fault]:
    """The planned round trip from the clients of a service to the region is within the service's budget.

    Example: 50 ms for clients in Singapore, served from Paris: 170 ms.
    """
    here = site_of(region)
    for placed in services_of(region):
        service = placed.service
        if service.latency is None:
            continue
        clients, budget = service.latency.clients, service.latency.budget_ms
        rtt = _rtt(region, here, clients)
        # Of several regions, the nearest one answers these clients.
        nearest = min(
            (each for other in service.regions if (each := _rtt(region, other, clients)) is not None), default=rtt
        )
        if rtt is None or min(rtt, nearest or 0.0) <= budget:
            continue
        between = region.catalogue.latency(here, clients)
        floor = f"; light in fibre alone takes {between.floor_ms:g} ms" if between and between.floor_ms else ""
        yield Fault(
            at=(*placed.at, "latency", "budget_ms"),
            message=f"{placed.name} cannot answer clients near {clients} from {here} in time",
            found=f"{rtt:g} ms there and back{floor}",
            allowed=f"at most {budget} ms",
            remedy=_remedy(region, placed, clients, budget),
        )


def _remedy(region: Region, placed: Placed, clients: str, budget: int) -> str:
    is_eu = placed.sovereignty is Sovereignty.EU
    reach = {
        site: rtt
        for site, country in region.catalogue.sites.items()
        if (rtt := _rtt(region, site, clients)) is not None and (country in UNION or not is_eu)
    }
    fitting = sorted((rtt, site) for site, rtt in reach.items() if rtt <= budget)
    if fitting:
        return "serve it from " + ", or from ".join(f"{site} ({rtt:g} ms)" for rtt, site in fitting[:2])
    if not reach:
        return "no site of the catalogue has a delay to these clients: raise the budget, or add a site near them"
    nearest = min(reach, key=lambda site: reach[site])
    inside = " of the Union" if is_eu else ""
    return (
        f"no site{inside} is within {budget} ms of {clients}; the nearest is {nearest} with {reach[nearest]:g} ms:"
        f" raise the budget{', or let the service leave the Union' if is_eu else ', or add a site near them'}"
    )


RULES = (clients_are_somewhere, budgets_can_be_kept)
