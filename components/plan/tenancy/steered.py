"""Names of a tenant's services over several regions, as one region has them beside its own."""

from __future__ import annotations

from components.spec.derive import STEERED_ZONES, steered_domain
from components.spec.limits import UNION
from components.spec.region import Region
from components.spec.service import Sovereignty
from components.spec.services import Placed, services_here
from components.spec.tenant import Tenant


def steered_domain_of(region: Region, placed: Placed) -> str | None:
    """What a service's name over several regions is below; None where this region is not asked by it.

    Outside the Union nothing of class EU is: rules refuse such a service, and without them no gateway would have its
    name, nor a certificate for it.
    """
    is_lawful = placed.sovereignty is not Sovereignty.EU or region.site.country in UNION
    if region.steering is None or not placed.is_steered or not is_lawful:
        return None
    return steered_domain(placed.tenant.tenant, placed.sovereignty, region.steering.domain)


def steered_domains(region: Region, tenant: Tenant) -> tuple[tuple[str, str], ...]:
    """Zone and domain of each class that services of this tenant have such a name in, those that run here."""
    found = {
        STEERED_ZONES[placed.sovereignty]: domain
        for placed in services_here(region)
        if placed.tenant is tenant and (domain := steered_domain_of(region, placed))
    }
    return tuple(sorted(found.items()))
