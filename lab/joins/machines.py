"""Simulated machines that join a cluster.

Owns the one process that plays them all, and what it tells of each. What is simulated and what is kubeadm's own stands
in main.go.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from lab.errors import LabError
from lab.joins.control_plane import SERVER, ControlPlane


class JoinFailedError(LabError):
    """kubeadm gave up; `step` says where."""

    def __init__(self, machine: str, step: str, error: str) -> None:
        super().__init__(f"{machine} did not join: {step}", found=error)
        self.step = step


@dataclass(frozen=True, kw_only=True)
class Joined:
    """A machine that is a node now."""

    seconds: float
    steps: Mapping[str, float]
    """Step -> seconds: discovery, configuration, name, certificate."""


@dataclass
class Machines:
    """All of one process."""

    process: asyncio.subprocess.Process
    ready: dict[str, float] = field(default_factory=dict[str, float])
    """Machine -> when its node said that it is ready, by the loop's clock."""
    _joining: dict[str, asyncio.Future[Joined]] = field(default_factory=dict[str, "asyncio.Future[Joined]"])
    _reports: list[asyncio.Future[Mapping[str, Any]]] = field(default_factory=list["asyncio.Future[Mapping[str, Any]]"])
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def join(self, machine: str, token: str, authority_hash: str = "") -> Joined:
        """What `kubeadm join` does on this machine, until it would return. Raises JoinFailedError."""
        future = self._joining[machine] = asyncio.get_running_loop().create_future()
        self._tell({"name": machine, "token": token, "hash": authority_hash})
        return await future

    async def all_ready(self, machines: set[str]) -> None:
        """Wait until these nodes have said that they are ready."""
        while not machines <= self.ready.keys():
            self._changed.clear()
            await self._changed.wait()

    async def report(self) -> Mapping[str, Any]:
        """What all machines together asked of the API server, and how long they waited for it."""
        future: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._reports.append(future)
        self._tell({})
        return await future

    def _tell(self, line: Mapping[str, str]) -> None:
        cast("asyncio.StreamWriter", self.process.stdin).write(json.dumps(line).encode() + b"\n")

    async def listen(self) -> None:
        """Take in what the process tells, until it ends."""
        async for line in cast("asyncio.StreamReader", self.process.stdout):
            self._take(json.loads(line))
        for future in (*self._joining.values(), *self._reports):
            if not future.done():
                future.set_exception(LabError("the process that plays the machines has ended"))

    def _take(self, event: Mapping[str, Any]) -> None:
        machine = event.get("node", "")
        match event["event"]:
            case "joined":
                self._joining[machine].set_result(Joined(seconds=event["seconds"], steps=event["steps"]))
            case "failed":
                if not self._joining[machine].done():
                    self._joining[machine].set_exception(JoinFailedError(machine, event["step"], event["error"]))
            case "ready":
                self.ready[machine] = asyncio.get_running_loop().time()
                self._changed.set()
            case _:
                self._reports.pop(0).set_result(event["report"])


@asynccontextmanager
async def machines(cluster: ControlPlane, folder: Path, *, cores: str | None = None) -> AsyncGenerator[Machines]:
    """A process that plays machines of this cluster; it ends with the block."""
    prefix = ["taskset", "--cpu-list", cores] if cores else []
    process = await asyncio.create_subprocess_exec(
        *prefix, str(cluster.programs["simulated-node"]), "fleet", "--server", SERVER,
        "--ca", str(cluster.authority), "--directory", str(folder),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**20,
    )  # fmt: skip
    made = Machines(process)
    listening = asyncio.create_task(made.listen())
    try:
        yield made
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        await listening
