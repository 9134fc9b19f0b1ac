"""The plan of a region: everything that follows from its description. Pure, no I/O.

Names, addresses, AS numbers, cables, switch configurations, inventories, records, the inputs of the
provider's resources, and the physical actions that a change means.
"""

from components.plan.compile import compile_region
from components.plan.model import RegionPlan

__all__ = ["RegionPlan", "compile_region"]
