"""Weights of a model on their way to its engine: what is fetched, from where, and what it is held to.

Owns what a pod is told. The way itself is a program's (components/programs/weights); the caches are installed by the role
weights_cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from components.plan.models.serve import WEIGHTS, ModelPlan, WeightsPlan
from components.spec.artifacts import ArtifactIndex

IMAGE = "weights"
"""Name in the artifact index."""
NAMESPACE = "weights-cache"
"""Where the caches run, one for each rack."""
APP = "weights-cache"
"""Value of the label `app.kubernetes.io/name` of their pods."""
PORT = 8080
CACHES = (f"http://rack-{{rack}}.{NAMESPACE}:{PORT}", f"http://any.{NAMESPACE}:{PORT}")
"""Asked in this order: the cache of the pod's own rack, whose name the program puts in, and any other while that is
down."""
TOLD = "WEIGHTS_MANIFEST"
"""Variable by which an engine knows what its weights are to be."""


def with_weights(model: ModelPlan | None, artifacts: ArtifactIndex) -> ModelPlan | None:
    """The model with its weights by digest, as images are. A rule has refused a model without."""
    found = artifacts.weights.get(model.checkpoint) if model else None
    if model is None or found is None:
        return model
    image = artifacts.container_images[IMAGE].reference
    return replace(model, weights=WeightsPlan(image=image, manifest=found.manifest, bytes=found.bytes))


def folder(model: ModelPlan) -> str:
    """Where the engine finds them."""
    return f"{WEIGHTS}/{model.model}"


def fetch_arguments(model: ModelPlan, weights: WeightsPlan) -> Iterator[str]:
    """Of the program that fills the folder before the engine starts."""
    yield from ("fetch", "--manifest", weights.manifest, "--into", folder(model), "--node", "$(NODE_NAME)")
    for cache in CACHES:
        yield from ("--cache", cache)
