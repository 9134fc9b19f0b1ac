"""The plan of a region: everything that follows from its description. Pure, no I/O.

Names, addresses, AS numbers, cables, switch configurations, inventories, records, the inputs of the
provider's resources, and the physical actions that a change means.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from components.plan.compile import compile_region
    from components.plan.model import RegionPlan

__all__ = ["RegionPlan", "compile_region"]
_WHERE = {"RegionPlan": "components.plan.model", "compile_region": "components.plan.compile"}


def __getattr__(name: str) -> Any:
    # Loaded when asked for: a preview's provider needs the actions of this package and none of its compiler.
    if name not in _WHERE:
        raise AttributeError(f"{__name__} has no {name}")
    return getattr(import_module(_WHERE[name]), name)
