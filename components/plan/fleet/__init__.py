"""One fleet of mixed GPUs: a need of properties becomes an order of pools, or a refusal that names the nearest.

Owns the arithmetic and its words. Does not own objects of a cluster: components make those of what stands here.
"""

from components.plan.fleet.claims import FUNGIBILITY, POOL_LABEL, GpuPlan, claim_spec, driver_facts, gpu_plan, selector
from components.plan.fleet.need import Lack, Need, fits, lacks, need_of
from components.plan.fleet.place import Placement, Refusal, resolve
from components.plan.fleet.pool import Fleet, Pool, fleet_of, gpu_price

__all__ = [
    "FUNGIBILITY",
    "POOL_LABEL",
    "Fleet",
    "GpuPlan",
    "Lack",
    "Need",
    "Placement",
    "Pool",
    "Refusal",
    "claim_spec",
    "driver_facts",
    "fits",
    "fleet_of",
    "gpu_plan",
    "gpu_price",
    "lacks",
    "need_of",
    "resolve",
    "selector",
]
