"""An object store in memory with a boto3 client's face, and ledgers to try things on."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError, EndpointConnectionError

from components.clients.acceptance_folder import LedgerFolder
from components.clients.acceptance_ledger import Ledger
from components.clients.acceptance_store import LedgerStore
from components.clients.s3 import S3Access
from components.engine.acceptance import AcceptanceEvent

REGION = "lab"
LIFE = (AcceptanceEvent.RACKED, AcceptanceEvent.MATCHED, AcceptanceEvent.FIRMWARE_VERIFIED, AcceptanceEvent.HANDED_OVER)


class FakeS3:
    """Objects by name; away on demand."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.is_away = False
        self.writes = 0

    def get_paginator(self, _: str) -> FakeS3:
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        self._answer()
        return [{"Contents": [{"Key": name} for name in sorted(self.objects)]}]

    def get_object(self, *, Key: str, **_: Any) -> dict[str, Any]:
        self._answer()
        if Key not in self.objects:
            raise _refusal(404, "NoSuchKey")
        return {"Body": io.BytesIO(self.objects[Key])}

    def put_object(self, *, Key: str, Body: bytes, IfNoneMatch: str, **_: Any) -> None:
        self._answer()
        assert IfNoneMatch == "*", "an object may be made, never replaced"
        self.writes += 1
        if Key in self.objects:
            raise _refusal(412, "PreconditionFailed")
        self.objects[Key] = Body

    def _answer(self) -> None:
        if self.is_away:
            raise EndpointConnectionError(endpoint_url="https://127.0.0.1:9")


def _refusal(status: int, code: str) -> ClientError:
    said: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(said, "of a test")


def store(client: FakeS3) -> LedgerStore:
    """A store whose client is in memory."""
    access = S3Access(endpoint="https://127.0.0.1:9", access_key="k", secret_key="s", ca=Path("ca.crt"))
    return LedgerStore(access, f"{REGION}-acceptance", client=client)


def opened(folder: Path, client: FakeS3 | None = None) -> Ledger:
    """The ledger below a folder, with a clock that stands still."""
    kept = store(client) if client else None
    return Ledger.open(REGION, LedgerFolder(folder), kept, wait_s=0, clock=lambda: 1_800_000_000.0)


async def live(ledger: Ledger, serials: int, *, first: int = 0) -> None:
    """Record the way of some machines to the hand-over."""

    async def way(serial: int) -> None:
        for event in LIFE:
            await ledger.record(
                serial=f"T{serial:05d}", event=event, device=f"lab-r001/{serial}", evidence={"bundle": "gb200-1.3"}
            )

    await asyncio.gather(*(way(serial) for serial in range(first, first + serials)))
