"""Rules on where services land: what a service or its model needs of GPUs is in some pool of the region."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from components.errors import Problem
from components.plan.fleet import Refusal, fleet_of
from components.plan.models import NoFit, Served
from components.plan.workload import place, serve_of
from components.spec.artifacts import ArtifactIndex
from components.spec.region import Region
from components.spec.services import services_here, services_of

GIB = 2**30

ABOUT: Mapping[str, str] = {
    "gpu-fits-nowhere": "Some pool of the region has the GPUs that a service asks for, in memory, number, architecture and NVLink.",
    "model-fits-nowhere": "Some pool of the region holds the model of a service, for the context and concurrency asked.",
    "model-beyond-quota": "The least replicas of a model, and one at least, stay within the GPU quota of their tenant.",
    "weights-unpublished": "The weights of each model that is served, in the precision that fits, are in the artifact index by digest.",
    "weights-beyond-cache": "The weights of each model that is served fit into the cache of a rack.",
}
"""Id -> what must hold."""


def services_land_somewhere(region: Region, artifacts: ArtifactIndex) -> Iterator[Problem]:
    """Every service that runs here has a pool for its GPUs."""
    fleet = fleet_of(region)
    for placed in services_here(region):
        service = placed.service
        if service.model is not None:
            found = serve_of(region, service, fleet)
            if isinstance(found, NoFit):
                yield region.positions.problem(
                    (*placed.at, "model"),
                    "model-fits-nowhere",
                    f"no pool of {region.region} holds {service.model} for {placed.name}",
                    found="; ".join(found.reasons) or "the region has no GPUs that work for tenants",
                    allowed="weights, cache and overhead within 90 % of a GPU's memory",
                    remedy="lower `context_tokens` or `scaling.concurrency`, or place it in a region with larger GPUs",
                )
            elif found and (wanted := found.plan.gpus * max(1, service.scaling.min)) > placed.tenant.quota.gpus:
                yield region.positions.problem(
                    (*placed.at, "model"),
                    "model-beyond-quota",
                    f"{placed.name} needs more GPUs than its tenant may use, before anybody calls it",
                    found=f"{max(1, service.scaling.min)} x {found.plan.gpus} = {wanted}",
                    allowed=f"at most {placed.tenant.quota.gpus}, the quota of {placed.tenant.tenant}",
                    remedy="raise the quota, lower `scaling.min`, or name a smaller model",
                )
        elif isinstance(at := place(region, service, fleet), Refusal):
            yield region.positions.problem(
                (*placed.at, "gpu"),
                "gpu-fits-nowhere",
                f"no pool of {region.region} has the GPUs that {placed.name} asks for",
                found=at.why,
                allowed=", ".join(f"{p.name}: {p.gpus_per_host} x {p.memory_gb} GB a host" for p in fleet.pools)
                or None,
                remedy=at.remedy,
            )


def engines_are_published(region: Region, artifacts: ArtifactIndex) -> Iterator[Problem]:
    """The image of each model's engine is in the index."""
    for placed in services_of(region):
        model = region.catalogue.model(placed.service.model) if placed.service.model else None
        if model and model.engine.image not in artifacts.container_images:
            yield region.positions.problem(
                (*placed.at, "model"),
                "artifact-unpublished",
                f"{model.engine.image}, the engine of {model.model}, is not in the artifact index",
                found=model.engine.image,
                allowed=", ".join(sorted(artifacts.container_images)) or "nothing is published",
                remedy="build and publish it, then run this again",
            )


def weights_are_published(region: Region, artifacts: ArtifactIndex) -> Iterator[Problem]:
    """The weights of each model are in the index, and fit into the cache of a rack: without them no replica starts."""
    fleet = fleet_of(region)
    for placed in services_here(region):
        service = placed.service
        served = serve_of(region, service, fleet)
        if not isinstance(served, Served):
            continue
        checkpoint, room = served.plan.checkpoint, region.runtime.weights_cache_gib
        weights = artifacts.weights.get(checkpoint)
        if weights is None:
            yield region.positions.problem(
                (*placed.at, "model"),
                "weights-unpublished",
                f"the weights of {service.model}, {checkpoint}, are not in the artifact index",
                found=checkpoint,
                allowed=", ".join(sorted(artifacts.weights)) or "no weights are published",
                remedy="put them into the region's bucket with `weights publish`, and what it prints into the index"
                " (docs/guides/models.md)",
            )
        elif weights.bytes > room * GIB:
            yield region.positions.problem(
                (*placed.at, "model"),
                "weights-beyond-cache",
                f"the weights of {service.model} are larger than the cache of a rack",
                found=f"{weights.bytes / GIB:.1f} GiB",
                allowed=f"at most {room} GiB, `weights_cache_gib` of the runtime",
                remedy="raise it as far as the disks of the hosts allow, or serve a smaller model",
            )


RULES = (services_land_somewhere, engines_are_published, weights_are_published)
