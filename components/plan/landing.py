"""Where each service of a region lands: worked out here, and asked by rules, by the plan, and for what is to be published.

A service asks for GPUs itself or through its model; where that fits is decided in components/plan/fleet and
components/plan/models.
"""

from __future__ import annotations

from dataclasses import dataclass

from components.plan.fleet import Fleet, Placement, Refusal, fleet_of, need_of, resolve
from components.plan.fleet.need import Need, fits
from components.plan.models import NoFit, Served, serve
from components.spec.region import Region
from components.spec.service import Service
from components.spec.services import Placed, services_here


@dataclass(frozen=True, kw_only=True)
class Landing:
    """One service that runs here."""

    placed: Placed
    found: Served | NoFit | Placement | Refusal | None
    """How its model is served, or where the GPUs of its own image are. None of a service without GPUs, and of a model
    that the catalogue does not have, which a rule refuses."""


@dataclass(frozen=True, kw_only=True)
class Landings:
    """All services that run in a region."""

    fleet: Fleet
    services: tuple[Landing, ...]
    """In the order of the files."""


def land(region: Region) -> Landings:
    """Every service that runs here, on the fleet of the region."""
    fleet = fleet_of(region)
    return Landings(
        fleet=fleet,
        services=tuple(
            Landing(placed=placed, found=_found(region, placed.service, fleet)) for placed in services_here(region)
        ),
    )


def has_own_ports(service: Service) -> bool:
    """Whether the description names them: those of a model are the model's else."""
    return "ports" in service.model_fields_set


def _found(region: Region, service: Service, fleet: Fleet) -> Served | NoFit | Placement | Refusal | None:
    if service.model is not None:
        return _serve(region, service, fleet)
    if service.gpu is None:
        return None
    here = service.scaling.regions.get(region.region)
    most = here.max if here and here.max is not None else service.scaling.max
    return resolve(fleet, need_of(service.gpu, most))


def _serve(region: Region, service: Service, fleet: Fleet) -> Served | NoFit | None:
    model = region.catalogue.model(service.model) if service.model else None
    if model is None:
        return None
    return serve(
        model,
        _within(fleet, service),
        region.catalogue,
        context_tokens=service.context_tokens,
        concurrency=service.scaling.concurrency,
        port=service.port if has_own_ports(service) else None,
    )


def _within(fleet: Fleet, service: Service) -> Fleet:
    """Only the pools that have what the service asks for itself, beside its model."""
    if service.gpu is None:
        return fleet
    asked = need_of(service.gpu)
    wanted = Need(memory_gib=asked.memory_gib, architectures=asked.architectures)
    return Fleet(tuple(pool for pool in fleet.pools if fits(pool, wanted)))
