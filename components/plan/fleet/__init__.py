"""One fleet of mixed GPUs: a need of properties becomes an order of pools, or a refusal that names the nearest.

Owns the arithmetic and its words. Does not own objects of a cluster: components make those of what stands here.
"""

from components.plan.fleet.claims import FUNGIBILITY, POOL_LABEL, claim_spec, flavor_order, flavors, selector
from components.plan.fleet.need import Lack, Need, fits, lacks, need_of
from components.plan.fleet.place import Placement, Refusal, resolve
from components.plan.fleet.pool import Fleet, Pool, fleet_of, gpu_price

__all__ = [
    "FUNGIBILITY",
    "POOL_LABEL",
    "Fleet",
    "Lack",
    "Need",
    "Placement",
    "Pool",
    "Refusal",
    "claim_spec",
    "fits",
    "flavor_order",
    "flavors",
    "fleet_of",
    "gpu_price",
    "lacks",
    "need_of",
    "resolve",
    "selector",
]
