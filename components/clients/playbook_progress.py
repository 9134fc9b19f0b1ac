"""What many processes of one playbook run say, as one voice.

Owns the sum of their progress, told at most once a second, and the log in which each line names its shard.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace

from components.clients.playbook_events import Log, Progress

TELL_EVERY_S = 1.0


class ShardLog:
    """One shard's part of a log. Only whole texts are written, so that those of shards do not mix."""

    def __init__(self, log: Log, name: str) -> None:
        self._log = log
        self._name = name

    def write(self, text: str, /) -> object:
        """Each line with the name of the shard, in one write."""
        return self._log.write("".join(f"[{self._name}] {line}" for line in text.splitlines(keepends=True)))

    def flush(self) -> object:
        """As the log itself."""
        return self._log.flush()


class Shards:
    """Progress of several processes; called from the thread of each."""

    def __init__(self, count: int, tell: Callable[[Progress], None]) -> None:
        self._count = count
        self._tell = tell
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._told = 0.0
        self._done = 0
        self._under_way: dict[int, Progress | None] = {}

    @contextmanager
    def begin(self) -> Generator[Callable[[Progress], None]]:
        """While one works; what it yields takes its progress."""
        key = threading.get_ident()

        def take(progress: Progress) -> None:
            with self._lock:
                self._under_way[key] = progress
            self._say(at_once=self._count == 1)

        with self._lock:
            self._under_way[key] = None
        try:
            yield take
        finally:
            with self._lock:
                del self._under_way[key]
                self._done += 1
            if self._count > 1:
                self._say(at_once=True)

    def _say(self, *, at_once: bool) -> None:
        """Of those that work, the one that is least far: the run is done no sooner."""
        now = time.monotonic()
        with self._lock:
            told = [progress for progress in self._under_way.values() if progress]
            if not told or (not at_once and now - self._told < TELL_EVERY_S):
                return
            self._told = now
            last = min(told, key=lambda progress: progress.tasks)
            counts = {"shards": self._count, "shards_done": self._done, "shards_running": len(self._under_way)}
        self._tell(last if self._count == 1 else replace(last, seconds=now - self._began, **counts))
