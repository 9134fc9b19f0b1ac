"""Ranges of autonomous system numbers."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from components.spec.base import Model

MAX_ASN = 4_294_967_294
_PRIVATE = ((64512, 65534), (4_200_000_000, MAX_ASN))


class AsnRange(Model):
    """One number, or a range that grants one number to each id: first + id."""

    first: int
    last: int

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"

    def overlaps(self, other: AsnRange) -> bool:
        """Whether a number lies in both."""
        return self.first <= other.last and other.first <= self.last


def _parse(value: object) -> object:
    if isinstance(value, AsnRange):
        return value
    text = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    if match := re.fullmatch(r"([0-9]+)(?:-([0-9]+))?", text):
        first, last = int(match[1]), int(match[2] or match[1])
        if first <= last and any(low <= first and last <= high for low, high in _PRIVATE):
            return AsnRange(first=first, last=last)
    raise PydanticCustomError(
        "asn-range",
        "this is not a range of private AS numbers",
        {
            "allowed": "one number or FIRST-LAST, within 64512-65534 or 4200000000-4294967294 (RFC 6996)",
            "remedy": "choose a private range, wide enough for all ids",
        },
    )


Asns = Annotated[
    AsnRange,
    BeforeValidator(_parse),
    PlainSerializer(str),  # written out as it is read
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^[0-9]+(-[0-9]+)?$"}]}),
]
