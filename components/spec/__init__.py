"""The description of a region: strict models of what people write in YAML.

Owns meaning, units and every rule that the description must obey. Derives nothing (see
`components.plan`) and touches nothing but the YAML files it is told to read.
"""

from components.spec.loader import load
from components.spec.region import Region

__all__ = ["Region", "load"]
