"""All services of a region, with what their tenant says for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from components.spec.position import Location
from components.spec.region import Region
from components.spec.service import Kind, Service, Sovereignty
from components.spec.tenant import Tenant


@dataclass(frozen=True)
class Placed:
    """A service, whose it is, and where that is written."""

    at: Location
    tenant: Tenant
    service: Service

    @property
    def name(self) -> str:
        """`tenant/service`, unique in the region."""
        return f"{self.tenant.tenant}/{self.service.name}"

    @property
    def sovereignty(self) -> Sovereignty:
        """Its own class, or its tenant's."""
        return self.service.sovereignty or self.tenant.sovereignty

    @property
    def is_steered(self) -> bool:
        """Whether it is called by one name over several regions, beside its own in each."""
        return len(self.service.regions) > 1 and self.service.type is Kind.WEB


def services_of(region: Region) -> Iterator[Placed]:
    """Every service of every tenant, in the order of the files."""
    for t, tenant in enumerate(region.tenants):
        for s, service in enumerate(tenant.services):
            yield Placed(("tenants", t, "services", s), tenant, service)


def services_here(region: Region) -> Iterator[Placed]:
    """Those that run in this region: a service that names no region runs in each."""
    for placed in services_of(region):
        if not placed.service.regions or region.region in placed.service.regions:
            yield placed
