"""The description of a region: strict models of what people write in YAML.

Owns meaning, units and every rule that the description must obey. Derives nothing (see
`components.plan`) and touches nothing but the YAML files it is told to read.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from components.spec.loader import load
    from components.spec.region import Region

__all__ = ["Region", "load"]
_WHERE = {"Region": "components.spec.region", "load": "components.spec.loader"}


def __getattr__(name: str) -> Any:
    # Loaded when asked for: whoever checks the inputs of a resource needs the types of this package, not all its models.
    if name not in _WHERE:
        raise AttributeError(f"{__name__} has no {name}")
    return getattr(import_module(_WHERE[name]), name)
