"""JSON Schema of the YAML files, for editors: completion, and a hint under the cursor.

Editors see one file at a time, and a region's keys may stand in any of its files, so no top-level key
is required here. The loader, which sees all of them, has the last word.
"""

from __future__ import annotations

from typing import Any

from components.spec.profile import RackProfile
from components.spec.region import RegionFiles

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """Schema of each file of a region."""
    document = RegionFiles.model_json_schema()
    document.pop("required")
    return {"$schema": _DIALECT, **document, "title": "A file of a region", "description": _doc(RegionFiles)}


def profile_schema() -> dict[str, Any]:
    """Schema of a file of the catalogue."""
    document = RackProfile.model_json_schema()
    return {"$schema": _DIALECT, **document, "title": "A rack profile", "description": _doc(RackProfile)}


def _doc(model: type) -> str:
    return (model.__doc__ or "").strip()
