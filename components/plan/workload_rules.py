"""Rules on where services land: what a service or its model needs of GPUs is in some pool of the region."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from components.errors import Problem
from components.plan.fleet import Refusal
from components.plan.landing import Landings
from components.plan.models import NoFit, Served
from components.spec.artifacts import ArtifactIndex
from components.spec.region import Region

GIB = 2**30

ABOUT: Mapping[str, str] = {
    "gpu-fits-nowhere": "Some pool of the region has the GPUs that a service asks for, in memory, number, architecture and NVLink.",
    "model-fits-nowhere": "Some pool of the region holds the model of a service, for the context and concurrency asked.",
    "model-beyond-quota": "The least replicas of a model, and one at least, stay within the GPU quota of their tenant.",
    "weights-unpublished": "The weights of each model that is served, in the precision that fits, are in the artifact index by digest.",
    "weights-beyond-cache": "The weights of each model that is served fit into the cache of a rack.",
}
"""Id -> what must hold."""


def services_land_somewhere(region: Region, landings: Landings) -> Iterator[Problem]:
    """Every service that runs here has a pool for its GPUs."""
    for each in landings.services:
        placed, found = each.placed, each.found
        if isinstance(found, NoFit):
            yield region.positions.problem(
                (*placed.at, "model"),
                "model-fits-nowhere",
                f"no pool of {region.region} holds {placed.service.model} for {placed.name}",
                found="; ".join(found.reasons) or "the region has no GPUs that work for tenants",
                allowed="weights, cache and overhead within 90 % of the memory of GPUs that NVLink joins on one host",
                remedy=_remedy(found),
            )
        elif isinstance(found, Refusal):
            pools = (f"{p.name}: {p.gpus_per_host} x {p.memory_gb} GB a host" for p in landings.fleet.pools)
            yield region.positions.problem(
                (*placed.at, "gpu"),
                "gpu-fits-nowhere",
                f"no pool of {region.region} has the GPUs that {placed.name} asks for",
                found=found.why,
                allowed=", ".join(pools) or None,
                remedy=found.remedy,
            )


def _remedy(found: NoFit) -> str:
    change = f"set {' or '.join(map(str, found.instead))}" if found.instead else "name a smaller model"
    return f"{change}, or place it in a region with larger GPUs"


def models_stay_within_quotas(region: Region, landings: Landings) -> Iterator[Problem]:
    """The least replicas of a model, and one at least, are within the quota of its tenant."""
    for each in landings.services:
        placed, found = each.placed, each.found
        if not isinstance(found, Served):
            continue
        least = max(1, placed.service.scaling.min)
        if (wanted := found.plan.gpus * least) > placed.tenant.quota.gpus:
            yield region.positions.problem(
                (*placed.at, "model"),
                "model-beyond-quota",
                f"{placed.name} needs more GPUs than its tenant may use, before anybody calls it",
                found=f"{least} x {found.plan.gpus} = {wanted}",
                allowed=f"at most {placed.tenant.quota.gpus}, the quota of {placed.tenant.tenant}",
                remedy="raise the quota, lower `scaling.min`, or name a smaller model",
            )


def weights_are_published(region: Region, landings: Landings, artifacts: ArtifactIndex) -> Iterator[Problem]:
    """The weights of each model are in the index, and fit into the cache of a rack: without them no replica starts."""
    for each in landings.services:
        placed, found = each.placed, each.found
        if not isinstance(found, Served):
            continue
        checkpoint, room = found.plan.checkpoint, region.runtime.weights_cache_gib
        weights = artifacts.weights.get(checkpoint)
        if weights is None:
            yield region.positions.problem(
                (*placed.at, "model"),
                "weights-unpublished",
                f"the weights of {placed.service.model}, {checkpoint}, are not in the artifact index",
                found=checkpoint,
                allowed=", ".join(sorted(artifacts.weights)) or "no weights are published",
                remedy="put them into the region's bucket with `weights publish`, and what it prints into the index"
                " (docs/guides/models.md)",
            )
        elif weights.bytes > room * GIB:
            yield region.positions.problem(
                (*placed.at, "model"),
                "weights-beyond-cache",
                f"the weights of {placed.service.model} are larger than the cache of a rack",
                found=f"{weights.bytes / GIB:.1f} GiB",
                allowed=f"at most {room} GiB, `weights_cache_gib` of the runtime",
                remedy="raise it as far as the disks of the hosts allow, or serve a smaller model",
            )


def problems(region: Region, landings: Landings, artifacts: ArtifactIndex) -> Iterator[Problem]:
    """All that these rules find."""
    yield from services_land_somewhere(region, landings)
    yield from models_stay_within_quotas(region, landings)
    yield from weights_are_published(region, landings, artifacts)
