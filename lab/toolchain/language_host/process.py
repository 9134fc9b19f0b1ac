"""Processes that the host starts. Owns their output as a stream, and their end when the host ends."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import IO

_CHUNK = 64 * 1024


class Stream(Enum):
    """Where a piece of output came from."""

    STDOUT = "stdout"
    STDERR = "stderr"


class Children:
    """The processes that run now; `stop` ends them, and those that would start later."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    @contextlib.contextmanager
    def start(
        self, command: Sequence[str | Path], *, environment: Mapping[str, str], folder: Path | None, piped: bool
    ) -> Generator[subprocess.Popen[bytes]]:
        """A running process; it is ended when the block is left early."""
        sink = subprocess.PIPE if piped else None
        with self._lock:
            if self._stopped:
                raise InterruptedError("the language host is ending")
            child = subprocess.Popen(
                command, env=dict(environment), cwd=folder, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink
            )
            self._running.add(child)
        try:
            yield child
        finally:
            if child.poll() is None:
                end(child)
            with self._lock:
                self._running.discard(child)

    def stop(self) -> None:
        """End all of them and let no other start."""
        with self._lock:
            self._stopped = True
            for child in self._running:
                with contextlib.suppress(ProcessLookupError):
                    child.terminate()


def end(child: subprocess.Popen[bytes], grace_s: float = 5.0) -> None:
    """Ask a process to end, and make it after `grace_s`."""
    child.terminate()
    try:
        child.wait(grace_s)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def output(child: subprocess.Popen[bytes]) -> Iterator[tuple[Stream, bytes]]:
    """What a piped process writes, as it comes, until both of its streams are closed."""
    pieces: queue.SimpleQueue[tuple[Stream, bytes]] = queue.SimpleQueue()

    def pump(stream: Stream, source: IO[bytes]) -> None:
        with source:
            while data := os.read(source.fileno(), _CHUNK):
                pieces.put((stream, data))
        pieces.put((stream, b""))

    named = ((Stream.STDOUT, child.stdout), (Stream.STDERR, child.stderr))
    sources = [(stream, source) for stream, source in named if source is not None]
    for stream, source in sources:
        threading.Thread(target=pump, args=(stream, source), daemon=True).start()
    open_streams = len(sources)
    while open_streams:
        stream, data = pieces.get()
        if data:
            yield stream, data
        else:
            open_streams -= 1
