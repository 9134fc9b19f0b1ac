"""The gate at which machines wait for their turn to join, whichever process of Ansible works on them.

Owns the socket. A connection is a turn: the other side says that it waits, is told to go, says how it went. So the
turn of a process that was killed ends with it. What the turns are given by is components/engine/join_pace.py; the
other side is the role kubernetes (action_plugins/join_in_turn.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from components.clients.cluster_joins import ClusterJoins
from components.clients.kubeconfig import KubeconfigError
from components.engine.join_pace import JoinPace, TurnLeftError

GO = b"go\n"
JOINED, FAILED = b"joined", b"failed"
_log = logging.getLogger(__name__)


class _FailedError(Exception):
    """The other side says that the machine did not join."""


@asynccontextmanager
async def join_gate(pace: JoinPace, kubeconfig: Path) -> AsyncGenerator[Path]:
    """A socket at which turns are given for as long as the block lasts.

    `kubeconfig` is read when the first machine comes: the same run of Ansible may have made the cluster just before.
    """
    gate = _Gate(pace, kubeconfig)
    with tempfile.TemporaryDirectory(prefix="gpuregion-joins-") as folder:  # for its owner alone
        path = Path(folder) / "gate"
        server = await asyncio.start_unix_server(gate.meet, path)
        try:
            yield path
        finally:
            server.close()
            await gate.close()


class _Gate:
    def __init__(self, pace: JoinPace, kubeconfig: Path) -> None:
        self._pace = pace
        self._kubeconfig = kubeconfig
        self._looking: asyncio.Task[None] | None = None
        self._met: set[asyncio.Task[None]] = set()

    def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A machine has come."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        task = asyncio.create_task(self._serve(reader, writer))
        self._met.add(task)
        task.add_done_callback(self._met.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One machine, from its wish to its outcome."""
        try:
            wish = json.loads(await reader.readline() or "{}")
            with contextlib.suppress(_FailedError, TurnLeftError, ConnectionError):
                async with self._pace.turn(control_plane=bool(wish.get("control_plane"))):
                    await self._let_go(reader, writer)
        finally:
            writer.close()

    async def close(self) -> None:
        """End everything that waits."""
        tasks = [task for task in (self._looking, *self._met) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @staticmethod
    async def _let_go(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(GO)
            await writer.drain()
            outcome = (await reader.readline()).strip()
        except ConnectionError as error:
            raise TurnLeftError from error
        if outcome == FAILED:
            raise _FailedError
        if outcome != JOINED:
            raise TurnLeftError

    async def _look(self) -> None:
        try:
            async with ClusterJoins.from_file(self._kubeconfig) as cluster, cluster.watching():
                await self._pace.observe(cluster.look)
        except KubeconfigError as error:
            # The machines can join: they have the address and the authority. The window grows by their success alone.
            _log.warning("the joins are paced without a look at the API server: %s", error)
