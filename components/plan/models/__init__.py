"""Models: which GPUs hold one, and what is started there.

Owns the arithmetic of memory, the arguments of engines and where their weights come from. Does not own pods or routes.
"""

from components.plan.models.fit import Shape, best, cache_bytes_per_token, shape, smallest, weights_gib
from components.plan.models.nearest import Instead, NoFit, Wider, no_fit, wider
from components.plan.models.serve import ModelPlan, Served, WeightsPlan, load_s, serve

__all__ = [
    "Instead",
    "ModelPlan",
    "NoFit",
    "Served",
    "Shape",
    "WeightsPlan",
    "Wider",
    "best",
    "cache_bytes_per_token",
    "load_s",
    "no_fit",
    "serve",
    "shape",
    "smallest",
    "weights_gib",
    "wider",
]
