"""The acceptance ledger: what is known of each serial number, from the rack's place on the floor to acceptance.

Owns the words of the ledger and the form of an entry: a line is the SHA-256 of an entry's canonical JSON, a space and
that JSON. `acceptance_chain.py` says what comes next, `acceptance_verdict.py` whether what is there is whole; clients
keep the bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias, cast

from components.errors import Problem, RegionError

JSON: TypeAlias = "str | int | bool | Sequence[JSON] | Mapping[str, JSON] | None"
"""What evidence is made of. No fractions: their text differs between languages, and a digest is of a text."""


DIGITS = 64
"""Of a SHA-256 in hexadecimal."""
_LINE = re.compile(rb"[0-9a-f]{64} \{")


class AcceptanceEvent(StrEnum):
    """What happened to a device; one life goes from `racked` to `accepted`."""

    RACKED = "racked"
    """It answers in its place."""
    MATCHED = "matched"
    """Serial number and place are those of the received list."""
    CREDENTIALS_ROTATED = "credentials-rotated"
    FIRMWARE_VERIFIED = "firmware-verified"
    """Every component runs the version of the locked bundle."""
    CONFIGURED = "configured"
    """BIOS, Secure Boot and boot mode are read back as wanted."""
    HANDED_OVER = "handed-over"
    """Ironic, or who else goes on, has it."""
    ACCEPTED = "accepted"
    """The region's own checks of it pass."""
    REPAIRED = "repaired"
    """Hands were in it: what was recorded before has to be shown anew."""
    RE_ACCEPTED = "re-accepted"
    """The checks pass again after a repair."""


REQUIREMENTS: Mapping[str, str] = MappingProxyType(
    {
        "CNP08": "stable identifiers of hardware",
        "CNP09": "firmware is known good",
        "CNP10": "Redfish over TLS, IPMI disabled",
        "SEC22": "TPM 2.0 and Secure Boot",
    }
)
"""Ids of NVIDIA's Requirements for AI Clouds, v2.3, that an entry may show to be met, each with its subject.

`matched` shows CNP08 and `firmware-verified` CNP09; `configured` shows SEC22 where Secure Boot was read back as on, and
CNP10 where IPMI was read back as off. The others are facts of their own, without an id."""


class AcceptanceLedger(Protocol):
    """What the engine and the checks need of a ledger."""

    async def record(
        self,
        *,
        serial: str,
        event: AcceptanceEvent,
        device: str,
        evidence: Mapping[str, JSON],
        requirement: str | None = None,
    ) -> None:
        """Add an entry and return once it is on this machine's disk; many calls share one write.

        Adds nothing when this is what was last recorded of the event in this life of the serial, so a resumed run
        records what it finds done again. `evidence` is what was seen: no times, no secrets, no fractions.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the ledger."""

    number: int
    """Counted over the whole ledger, from 1."""
    at_ms: int
    """Milliseconds since 1970, by the clock of the machine that wrote it."""
    serial: str
    device: str
    """Where it is: `ess-r001/3`, `ess-r001/nvlink/2`."""
    event: AcceptanceEvent
    requirement: str | None
    evidence: Mapping[str, JSON]
    previous: str
    """Digest of the entry before it in the ledger; of the first one, of the region's name."""
    before: str | None
    """Digest of the entry before it of the same serial number."""

    def body(self) -> bytes:
        """The canonical text that its digest is of."""
        return canonical(vars(self))

    @classmethod
    def of(cls, body: bytes) -> Entry:
        """Read a body. Raises ValueError for one that is no entry."""
        try:
            fields = cast("dict[str, Any]", json.loads(body))
            fields["event"] = AcceptanceEvent(fields["event"])
            entry = cls(**fields)
        except (TypeError, KeyError) as error:
            raise ValueError(f"it is no entry: {error}") from error
        if not isinstance(cast("object", entry.number), int):
            raise ValueError(f"its number is {entry.number!r}")  # noqa: TRY004 - one error for whatever is no entry
        return entry


@dataclass(frozen=True)
class Line:
    """An entry as it stands in the ledger."""

    digest: str
    """As it is written, which may be wrong."""
    body: bytes

    @classmethod
    def of(cls, entry: Entry) -> Line:
        body = entry.body()
        return cls(digest(body), body)

    @classmethod
    def read(cls, text: bytes) -> Line:
        """Read a line without its end. Raises ValueError for one that is none."""
        if not _LINE.match(text):
            raise ValueError("not a digest, a space and a document")
        return cls(text[:DIGITS].decode(), text[DIGITS + 1 :])

    def text(self) -> bytes:
        return b"%s %s\n" % (self.digest.encode(), self.body)


def canonical(document: Mapping[str, Any]) -> bytes:
    """JSON in the canonical form of RFC 8785: sorted keys, no spaces, UTF-8. Raises RegionError for fractions."""
    try:
        return json.dumps(
            _whole(document), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        ).encode()
    except (TypeError, ValueError) as error:
        raise RegionError(
            "evidence cannot be recorded",
            [Problem(path="evidence", message=str(error), allowed="text, whole numbers, true, false, null")],
        ) from error


def digest(body: bytes) -> str:
    """SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(body).hexdigest()


def genesis(region: str) -> str:
    """What the first entry of a region's ledger has before it, so that no two regions' ledgers fit each other."""
    return digest(f"acceptance ledger of {region}".encode())


def _whole(value: Any) -> Any:
    if isinstance(value, float):
        raise TypeError(f"{value!r} is a fraction")
    if isinstance(value, Mapping):
        return {key: _whole(part) for key, part in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_whole(part) for part in cast("Sequence[Any]", value)]
    return value
