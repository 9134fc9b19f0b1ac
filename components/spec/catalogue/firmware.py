"""Firmware baselines: versions that were tested together."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, PlainSerializer

from components.spec.catalogue.evidence import CatalogueItem
from components.spec.catalogue.types import PartVersion
from components.spec.types import Name

Part = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
"""A part that carries firmware, such as bmc, hmc, gpu, sbios, nvos, erot, bf3_bfb."""

Parts = Annotated[Mapping[Part, PartVersion], AfterValidator(MappingProxyType), PlainSerializer(dict)]


def _none() -> Mapping[str, str]:
    return MappingProxyType({})


class FirmwareBaseline(CatalogueItem):
    """Firmware of all parts of one kind of rack. A part that is missing is left as it was delivered."""

    name_key: ClassVar[str] = "baseline"
    text_facts: ClassVar[frozenset[str]] = frozenset({"release", "parts", "tools"})

    baseline: Name
    """Name that rack profiles refer to; equal to the file's name."""
    release: PartVersion | None = None
    """The maker's name of the whole set."""
    parts: Parts
    """Part -> version that is flashed."""
    tools: Parts = Field(default_factory=_none)
    """Program that flashes or inspects -> version of the same set."""

    @property
    def is_complete(self) -> bool:
        """Whether no part is known to be missing: only then is a rack flashed."""
        return bool(self.parts) and not self.unknown
