"""A description in the compact form in which a stack records what was applied.

Holds all that is needed to compile the description again, and nothing that only people read: no comments, no
evidence of facts. References to secrets stand in it, as in the description; secrets never do.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from typing import Any, cast

from pydantic import ValidationError

from components.spec.artifacts import ArtifactIndex
from components.spec.region import Region

FORM = 1
"""Raised when an older program could not read what a newer one records."""
_FOR_PEOPLE = frozenset({"evidence", "unknown", "sources"})


def compact(region: Region, artifacts: ArtifactIndex) -> str:
    """The same text for the same description, whatever its files look like."""
    content = {
        "form": FORM,
        "region": _for_programs(region.model_dump(mode="json")),
        "artifacts": artifacts.model_dump(mode="json", by_alias=True),
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode(), level=9)).decode()


def restored(text: str) -> tuple[Region, ArtifactIndex] | None:
    """What `compact` was given, without the rules being asked again; None if this program cannot read it."""
    try:
        content: Any = json.loads(zlib.decompress(base64.b64decode(text, validate=True)))
        if not isinstance(content, dict) or content.get("form") != FORM:
            return None
        region = Region.model_validate_json(json.dumps(content["region"]), strict=True)
        return region, ArtifactIndex.model_validate_json(json.dumps(content["artifacts"]), strict=True)
    except (ValueError, ValidationError, zlib.error, KeyError):
        return None


def digest(text: str) -> str:
    """Of a compact form: the same for descriptions that mean the same."""
    return hashlib.sha256(text.encode()).hexdigest()


def _for_programs(value: Any) -> Any:
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return {key: _for_programs(v) for key, v in items if v is not None and key not in _FOR_PEOPLE}
    if isinstance(value, list):
        return [_for_programs(each) for each in cast("list[Any]", value)]
    return value
