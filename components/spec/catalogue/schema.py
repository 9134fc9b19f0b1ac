"""JSON Schema of the catalogue's files, for editors: one for each folder, and for the two single files."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic import TypeAdapter

from components.spec.base import Model
from components.spec.catalogue.bring_up import BringUp
from components.spec.catalogue.catalogue import Sites
from components.spec.catalogue.evidence import Source, SourceId
from components.spec.catalogue.firmware import FirmwareBaseline
from components.spec.catalogue.latency import Latency
from components.spec.catalogue.model import ModelProfile
from components.spec.catalogue.power import PowerUnit
from components.spec.catalogue.price import Price
from components.spec.catalogue.rack import RackProfile
from components.spec.catalogue.software import SoftwareSet
from components.spec.catalogue.switch import SwitchProfile

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


class LatencyFile(Model):
    """Round-trip times between sites."""

    sites: Sites
    """Every site, and the country whose law it is under."""
    latencies: tuple[Latency, ...]


MODELS: Mapping[str, type[Model]] = MappingProxyType(
    {
        "racks": RackProfile,
        "switches": SwitchProfile,
        "power": PowerUnit,
        "firmware": FirmwareBaseline,
        "software": SoftwareSet,
        "bring_up": BringUp,
        "models": ModelProfile,
        "prices": Price,
        "latency.yaml": LatencyFile,
    }
)
"""Folder or file of the catalogue -> model of a file."""


def catalogue_schemas() -> dict[str, dict[str, Any]]:
    """Folder or file -> schema."""
    schemas = {
        where: {
            "$schema": _DIALECT,
            **model.model_json_schema(),
            "title": f"A file of the catalogue: {where}",
            "description": (model.__doc__ or "").strip(),
        }
        for where, model in MODELS.items()
    }
    sources: TypeAdapter[Any] = TypeAdapter(dict[SourceId, Source])
    schemas["sources.yaml"] = {"$schema": _DIALECT, **sources.json_schema(), "title": "Sources of the catalogue"}
    return schemas
