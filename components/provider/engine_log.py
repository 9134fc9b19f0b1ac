"""Progress and logs of the provider.

Owns the two places where it speaks: one line beside the resource in Pulumi's display, and a log file of
the region, one JSON object a line, through the redaction filter.
"""

from __future__ import annotations

import asyncio
import json
import logging
import logging.handlers
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from components.clients.redaction import RedactionFilter, redact

LOG_BYTES = 8 * 1024 * 1024
LOG_FILES = 3


class EngineLog:
    """Sends status lines to the Pulumi engine; never fails a run because of one."""

    def __init__(self, engine_address: str) -> None:
        self._channel = grpc.aio.insecure_channel(engine_address)
        # The stub's annotations know only the blocking channel; on this one calls are awaited.
        self._stub: Any = engine_pb2_grpc.EngineStub(self._channel)
        self._sending: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()

    def status(self, urn: str, text: str) -> None:
        """Show `text` beside the resource until the next one replaces it."""
        task = asyncio.get_running_loop().create_task(self._send(urn, redact(text)))
        self._sending.add(task)  # a task that nobody holds may be collected before it runs
        task.add_done_callback(self._sending.discard)

    async def _send(self, urn: str, text: str) -> None:
        request = engine_pb2.LogRequest(severity=engine_pb2.LogSeverity.INFO, message=text, urn=urn, ephemeral=True)
        try:
            async with self._turn:  # in the order they were said
                await self._stub.Log(request, timeout=5)
        except grpc.RpcError as error:
            logging.getLogger(__name__).debug("the engine did not take a status line: %s", error)

    async def close(self) -> None:
        """Drop what is not sent yet."""
        await self._channel.close()


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_text:
            line["traceback"] = record.exc_text
        return json.dumps(line)


def log_to(path: Path) -> None:
    """Send all logging of this process to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=LOG_FILES)
    handler.setFormatter(_JsonLines())
    handler.addFilter(RedactionFilter())
    root = logging.getLogger()
    for old in root.handlers:
        old.close()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # One line for each request to Ironic would hide everything else.
    for noisy in ("httpx", "httpcore", "paramiko"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
