"""JSON Schema of the YAML files, for editors: completion, and a hint under the cursor.

Editors see one file at a time, and a region's keys may stand in any of its files, so no top-level key
is required here. The loader, which sees all of them, has the last word.
"""

from __future__ import annotations

from typing import Any

from components.spec.region import RegionFiles
from components.spec.series import Clos, RackSeries
from components.spec.tenant import Tenant

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """Schema of each file of a region."""
    document = RegionFiles.model_json_schema()
    document.pop("required")
    definitions = document["$defs"]
    for short in (RackSeries, Clos):
        described = short.model_json_schema(ref_template="#/$defs/{model}")
        definitions |= described.pop("$defs", {}) | {short.__name__: described}
    racks = document["properties"]["racks"]
    racks["items"] = {"anyOf": [racks["items"], {"$ref": "#/$defs/RackSeries"}]}
    fabric = definitions["Fabric"]
    fabric["properties"]["clos"] = {"$ref": "#/$defs/Clos", "description": "In the place of spines and leaves."}
    fabric["required"] = [key for key in fabric["required"] if key not in ("spines", "leaves")]
    return {"$schema": _DIALECT, **document, "title": "A file of a region", "description": _doc(RegionFiles)}


def tenant_schema() -> dict[str, Any]:
    """Schema of a tenant's file, which is whole."""
    return {"$schema": _DIALECT, **Tenant.model_json_schema(), "title": "A tenant's file"}


def _doc(model: type) -> str:
    return (model.__doc__ or "").strip()
