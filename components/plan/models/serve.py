"""What `model: NAME` in a service becomes: an image, arguments, GPUs, a probe and a time to load."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from components.plan.fleet.place import Placement, Refusal, resolve
from components.plan.fleet.pool import Fleet
from components.plan.models.fit import Shape, best, weights_gib
from components.plan.models.nearest import NoFit, no_fit
from components.spec.catalogue.catalogue import Catalogue
from components.spec.catalogue.model import ModelProfile

WEIGHTS = "/models"
"""Where an engine is told to find its weights, below it a folder of each model's name."""

READ_GIB_S = 5.0
"""Speed at which a replica reads its weights from the disks of the host: a choice of this project, until measured."""

START_S = 30.0
"""Seconds that an engine takes before and after it reads its weights: a choice of this project, until measured."""


@dataclass(frozen=True, kw_only=True)
class WeightsPlan:
    """The weights of a model in the region's bucket, and what brings them to its engine."""

    image: str
    """Of the program that fetches them, by digest."""
    manifest: str
    """Digest of the list of their files."""
    bytes: int
    """Of all files together."""


@dataclass(frozen=True, kw_only=True)
class ModelPlan:
    """A replica of a model, ready to be started."""

    model: str
    checkpoint: str
    image: str
    """Name in the artifact index."""
    args: tuple[str, ...]
    port: int
    health: str
    paths: tuple[str, ...]
    """OpenAI-compatible paths."""
    gpus: int
    concurrency: int
    """Requests that a replica answers at one time: what scaling aims at unless the service says otherwise."""
    weights_gib: float
    load_s: float
    """From the start of the engine, when its weights are on the host, to the first answer; what a health check must
    wait for."""
    weights: WeightsPlan | None = None
    """None before they are looked up in the artifact index."""
    simulated: bool = False
    """Whether a program plays it: its answers mean nothing."""


@dataclass(frozen=True, kw_only=True)
class Served:
    """A model with the GPUs that hold it."""

    plan: ModelPlan
    shape: Shape | None = None
    """None where it runs on CPUs."""
    placement: Placement | None = None

    @property
    def why(self) -> str:
        """Where it lands, and the arithmetic."""
        if self.placement is None or self.shape is None:
            note = " (a simulator: its answers mean nothing)" if self.plan.simulated else ""
            return f"{self.plan.model} runs on CPUs{note}"
        return f"{self.placement.why}; {self.shape.arithmetic}"


def serve(
    model: ModelProfile,
    fleet: Fleet,
    catalogue: Catalogue,
    *,
    context_tokens: int | None = None,
    concurrency: int | None = None,
    port: int | None = None,
) -> Served | NoFit:
    """How the model is served in this fleet, for the context and concurrency asked."""
    context = context_tokens or model.serving.context_tokens
    requests = concurrency or model.serving.concurrency
    at = port or model.engine.port
    if not model.gpu_counts:
        return Served(plan=_plan(model, catalogue, context, requests, at))
    found = best(model, fleet, context, requests)
    if found is None:
        return no_fit(model, fleet, context, requests)
    placement = resolve(fleet, found.need)
    if isinstance(placement, Refusal):  # the shape was chosen because a pool has it
        return NoFit(model=model.model, reasons=(placement.why,))
    return Served(plan=_plan(model, catalogue, context, requests, at, found), shape=found, placement=placement)


def _plan(
    model: ModelProfile, catalogue: Catalogue, context: int, requests: int, port: int, found: Shape | None = None
) -> ModelPlan:
    gpus = found.gpus if found else 0
    precision = next(p for p in model.precisions if found is None or p.name == found.precision)
    weights = weights_gib(model, precision)
    load = load_s(model, weights, catalogue)
    return ModelPlan(
        model=model.model,
        checkpoint=precision.checkpoint,
        image=model.engine.image,
        args=(*_args(model, gpus, context, requests, port, load), *model.engine.args),
        port=port,
        health=model.engine.health,
        paths=model.engine.paths,
        gpus=gpus,
        concurrency=requests,
        weights_gib=round(weights, 1),
        load_s=load,
        simulated=model.simulated,
    )


def load_s(model: ModelProfile, weights: float, catalogue: Catalogue) -> float:
    """Seconds from the start to the first answer; a simulator takes a part of what the model that it plays would."""
    played = catalogue.model(model.plays) if model.plays else None
    if played is None:
        return round(START_S + weights / READ_GIB_S, 1)
    return round((model.time_scale or 1) * (START_S + weights_gib(played, played.precisions[0]) / READ_GIB_S), 2)


def _args(model: ModelProfile, gpus: int, context: int, requests: int, port: int, load: float) -> Iterator[str]:
    if model.engine.kind == "lab-engine":
        yield from ("--model", model.model, "--port", str(port))
        yield from ("--load-seconds", f"{load:g}", "--concurrency", str(requests))
        yield from ("--weights", f"{WEIGHTS}/{model.model}")
    else:
        yield from ("--model", f"{WEIGHTS}/{model.model}", "--served-model-name", model.model)
        yield from ("--port", str(port), "--tensor-parallel-size", str(gpus))
        yield from ("--max-model-len", str(context), "--max-num-seqs", str(requests))
