"""How the weights of a model come into the pod of its engine: fetched before it starts, read-only to it.

Pure functions from the plan, as objects_pods.py, whose pods they complete.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any, cast

from components.plan.models import ModelPlan, WeightsPlan
from components.plan.models.weights import TOLD, fetch_arguments, folder
from components.plan.tenants import ServicePlan

if TYPE_CHECKING:
    from pulumi_kubernetes.core.v1 import PodSpecArgsDict

NAME = "model-weights"
"""Of the container that fetches, and of the volume that it fills."""
ROOM_MIB = 16
"""Beside the weights: the list of their files, and what a file system needs for each."""
MIB = 1 << 20
RESOURCES = {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}}
"""What a container asks for that names nothing (plan/tenancy/quota.py): a pod does not need more because of it. Pages
of files that are written count up to the limit, and are given back there."""


def with_weights(spec: PodSpecArgsDict, plan: ServicePlan) -> PodSpecArgsDict:
    """The pod, with a container that fetches the weights before the engine starts; unchanged without a model."""
    model = plan.model
    if model is None or model.weights is None:
        return spec
    (engine,) = cast("list[dict[str, Any]]", spec["containers"])
    mount: dict[str, Any] = {"name": NAME, "mount_path": folder(model)}
    told = [] if TOLD in dict(plan.env) else [{"name": TOLD, "value": model.weights.manifest}]
    own = {
        "env": [*engine["env"], *told],
        "volume_mounts": [*engine.get("volume_mounts", ()), {**mount, "read_only": True}],
    }
    size = f"{ceil(model.weights.bytes / MIB) + ROOM_MIB}Mi"
    volumes = cast("list[Any]", spec.get("volumes") or [])
    fetcher = {
        **_fetcher(model, model.weights),
        "volume_mounts": [mount],
        "security_context": engine["security_context"],
    }
    whole = {
        **spec,
        "init_containers": [fetcher],
        "containers": [{**engine, **own}],
        "volumes": [*volumes, {"name": NAME, "empty_dir": {"size_limit": size}}],
    }
    return cast("PodSpecArgsDict", whole)


def _fetcher(model: ModelPlan, weights: WeightsPlan) -> dict[str, Any]:
    return {
        "name": NAME,
        "image": weights.image,
        "args": list(fetch_arguments(model, weights)),
        "env": [{"name": "NODE_NAME", "value_from": {"field_ref": {"field_path": "spec.nodeName"}}}],
        "resources": RESOURCES,
        # Its last line says which file is missing or refused, and stands in the pod's state then.
        "termination_message_policy": "FallbackToLogsOnError",
    }
