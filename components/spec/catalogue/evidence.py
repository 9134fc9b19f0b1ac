"""Where a fact of the catalogue comes from, and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, PlainSerializer

from components.spec.base import Model

SourceId = Annotated[str, Field(pattern=r"^S[1-9][0-9]*$")]
"""Number of a source in `sources.yaml`."""

FieldPath = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$")]
"""Dotted path of a field. It stands for all below it, and in a list for the field of every item."""


class Source(Model):
    """A document that facts were read in."""

    title: Annotated[str, Field(min_length=1)]
    """What it is."""
    where: Annotated[str, Field(min_length=1)]
    """Address, or repository and path."""
    secondary: bool = False
    """Whether it repeats what others published, instead of the maker or the standard itself."""


class Evidence(Model):
    """Why some values are believed."""

    confidence: Literal["V", "D", "K"]
    """V: read in a source. D: derived here by arithmetic or choice; the note says how. K: general knowledge
    that nobody read again; check it on the first delivery."""
    sources: tuple[SourceId, ...] = ()
    """Where it was read; for D, what it was derived from."""
    note: str = ""
    """The derivation, or what to beware of."""


EvidenceByPath = Annotated[
    Mapping[FieldPath, Evidence],
    AfterValidator(MappingProxyType),
    # A mapping proxy is frozen, which a dictionary is not; to write it out, it is one again.
    PlainSerializer(dict),
]
ReasonByPath = Annotated[Mapping[FieldPath, str], AfterValidator(MappingProxyType), PlainSerializer(dict)]


def _no_entries() -> Mapping[str, Any]:
    # Not a plain default: pydantic would copy it, and a mapping proxy cannot be copied.
    return MappingProxyType({})


class CatalogueItem(Model):
    """What all files of the catalogue have: their facts, and beside them why each is believed."""

    name_key: ClassVar[str]
    """Key of the item's name, which is its file's name too."""
    text_facts: ClassVar[frozenset[str]] = frozenset()
    """Fields whose text needs evidence as numbers do, such as versions."""

    simulated: bool = False
    """Whether programs play it: its values are the project's own and need no evidence."""
    provisional: bool = False
    """Whether the maker has not published or delivered it yet: plans on it may change."""
    evidence: EvidenceByPath = Field(default_factory=_no_entries)
    """Field path -> why its value is believed; the longest path that fits counts."""
    unknown: ReasonByPath = Field(default_factory=_no_entries)
    """Field path -> why no value stands there: what was looked for and not found."""

    @property
    def name(self) -> str:
        """The item's name."""
        return getattr(self, self.name_key)
