"""A preview for programs, and the schema that it keeps to."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import TypeAdapter

from components.plan.consequences.model import SCHEMA, Consequences
from stacks.cli.preview_result import Preview


@dataclass(frozen=True, kw_only=True)
class LayerPreview:
    """What Pulumi would do with a layer."""

    layer: str
    state: str
    seconds: float
    changes: dict[str, int]
    """Operation -> count of resources."""
    details: list[str]
    """One line for each resource that changes."""
    error: str


@dataclass(frozen=True, kw_only=True)
class PreviewDocument:
    """What `region preview --format json` prints."""

    schema: Literal[1]
    """Version of this form; raised when a key changes its meaning or goes."""
    kind: Literal["preview"]
    region: str
    compared: str
    """With what."""
    is_empty: bool
    """Whether nothing changes."""
    unready: list[str]
    """Why the description cannot be applied yet."""
    description: str
    """Digest of the description."""
    consequences: Consequences
    layers: list[LayerPreview]
    """Empty where two descriptions are compared."""


_ADAPTER = TypeAdapter(PreviewDocument)


def document(preview: Preview) -> dict[str, Any]:
    """The preview as plain data."""
    found = PreviewDocument(
        schema=SCHEMA,
        kind="preview",
        region=preview.region,
        compared=preview.compared,
        is_empty=preview.is_empty,
        unready=list(preview.unready),
        description=preview.description,
        consequences=preview.consequences,
        layers=[
            LayerPreview(
                layer=p.layer,
                state=p.state,
                seconds=round(p.seconds, 1),
                changes=dict(p.changes),
                details=list(p.details),
                error=p.error,
            )
            for p in preview.phases
        ],
    )
    return json.loads(json.dumps(dataclasses.asdict(found)))


def document_schema() -> dict[str, Any]:
    """JSON Schema of the document."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_ADAPTER.json_schema()}
