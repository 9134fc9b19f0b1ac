"""Rules on where data may be: under which law, in whose hands, and at what distance its copies are."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from components.spec.limits import BACKUP_DISTANCE_KM, UNION
from components.spec.position import Location
from components.spec.region import Region
from components.spec.rules.rule import Fault, rule, unknown
from components.spec.service import Sovereignty
from components.spec.services import services_of


def site_of(region: Region) -> str:
    """The region's name among the sites of the catalogue's delays."""
    return region.site.delays_as or region.region


@rule("service-outside-union", "tenants", "site")
def eu_services_are_in_the_union(region: Region) -> Iterator[Fault]:
    """A service with `sovereignty: eu` is placed in the European Union or the EEA only.

    Example: an EU-only service in Singapore or Tokyo.
    """
    if region.site.country in UNION:
        return
    for placed in services_of(region):
        if placed.sovereignty is Sovereignty.EU:
            yield Fault(
                at=(*placed.at, "sovereignty") if placed.service.sovereignty else (*placed.at[:2], "sovereignty"),
                message=f"{placed.name} may run, be cached and be answered within the Union only, and this region"
                " is under another law",
                found=f"{region.region} in {region.site.country}",
                allowed="countries of the EU and the EEA",
                remedy="place it in a region of the Union; from there, Asia is never near: see latency-budget",
            )


@rule("site-country", "region", "site", "catalogue")
def the_country_is_that_of_the_site(region: Region) -> Iterator[Fault]:
    """The region's country is the one that the catalogue has for its site.

    Example: `country: FR` in the region singapore.
    """
    known = region.catalogue.sites.get(site_of(region))
    if known and known != region.site.country:
        yield Fault(
            at=("site", "country"),
            message=f"the catalogue has another country for {site_of(region)}: which law holds decides what is placed",
            found=region.site.country,
            allowed=known,
            remedy="correct the one that is wrong: this, or `sites` in _catalogue/latency.yaml",
        )


def _endpoints(region: Region) -> Iterator[tuple[Location, str, str]]:
    services = region.services
    for key, url in (("ironic", services.ironic), ("images", services.images), ("s3", services.s3)):
        yield ("services", key), urlsplit(url).hostname or "", url
    yield ("services", "apt", "url"), urlsplit(services.apt.url).hostname or "", services.apt.url
    yield ("services", "registry"), services.registry.rpartition(":")[0] or services.registry, services.registry


@rule("store-outside-region", "services", "site")
def stores_are_in_the_region(region: Region) -> Iterator[Fault]:
    """State, images and packages are kept by the region's own services, never by somebody else's (RES-01, 05, 06).

    Example: `registry: nvcr.io:443`, or an object store of another company.
    """
    domain, address = region.site.domain, str(region.services.address)
    for at, host, url in _endpoints(region):
        if host != address and not host.endswith(f".{domain}"):
            yield Fault(
                at=at,
                message="this is no service of the region, so its data would be in other hands",
                found=url,
                allowed=f"{address} (services.address), or a name that ends in .{domain}",
                remedy="mirror what is needed into the region's own service, and name that",
            )


@rule("endpoint-plain", "services", "fabric", "catalogue")
def endpoints_are_encrypted(region: Region) -> Iterator[Fault]:
    """Outside a bench machine, the region's services are called by TLS (KEY-05).

    Example: `ironic: http://10.96.254.10:6385` in a real region.
    """
    switch = region.catalogue.switch(region.fabric.switch)
    if switch is None or switch.simulated:
        return
    for at, _, url in _endpoints(region):
        if url.startswith("http://"):
            yield Fault(
                at=at,
                message="anyone on the way could read and change what is sent",
                found=url,
                allowed="https://",
                remedy="give the service a certificate of the region's authority",
            )


@rule("backup-site", "region", "site", "catalogue")
def backups_are_elsewhere(region: Region) -> Iterator[Fault]:
    """Copies are kept at another known site, far enough that one disaster does not reach both (RES-02).

    Example: essonne with its copies in paris, 32 km away.
    """
    backup, here = region.site.backup, site_of(region)
    if backup is None:
        return
    at: Location = ("site", "backup")
    if backup not in region.catalogue.sites:
        yield unknown(at, "site", backup, region.catalogue.sites, "`sites` of _catalogue/latency.yaml")
        return
    between = region.catalogue.latency(here, backup)
    distance = 0 if backup == here else between.distance_km if between else None
    if distance is not None and distance < BACKUP_DISTANCE_KM:
        yield Fault(
            at=at,
            message=f"copies at {backup} would be lost together with {here}",
            found=f"{distance:g} km",
            allowed=f"at least {BACKUP_DISTANCE_KM} km",
            remedy="keep them at a site that is farther away",
        )


@rule("backup-outside-union", "tenants", "site", "catalogue")
def backups_are_under_the_same_law(region: Region) -> Iterator[Fault]:
    """Copies of a region of the Union, or with EU-only services, stay in the Union (RES-02).

    Example: essonne with its copies in singapore.
    """
    backup = region.site.backup
    country = region.catalogue.sites.get(backup) if backup else None
    is_ours = region.site.country in UNION or any(
        placed.sovereignty is Sovereignty.EU for placed in services_of(region)
    )
    if country and country not in UNION and is_ours:
        yield Fault(
            at=("site", "backup"),
            message="the copies would be under the law of a country outside the Union",
            found=f"{backup} in {country}",
            allowed=", ".join(sorted(s for s, c in region.catalogue.sites.items() if c in UNION)),
            remedy="keep them at one of these sites",
        )


RULES = (
    eu_services_are_in_the_union,
    the_country_is_that_of_the_site,
    stores_are_in_the_region,
    endpoints_are_encrypted,
    backups_are_elsewhere,
    backups_are_under_the_same_law,
)
