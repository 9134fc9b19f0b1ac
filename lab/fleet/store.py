"""What outlives the simulator: the state of endpoints, the ledger's entries, the clock's origin.

SQLite, with one transaction for a change and the entries that tell of it, committed before the answer goes out:
a simulator that is killed has answered nothing that it does not remember. Without a directory it is in memory.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from lab.fleet import state as states
from lab.fleet.errors import NotServedError
from lab.fleet.state import State

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS endpoint (name TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deed (id INTEGER PRIMARY KEY, at REAL NOT NULL, endpoint TEXT NOT NULL,
                                 deed TEXT NOT NULL, detail TEXT NOT NULL);
"""


class Entry(NamedTuple):
    """One line of the ledger."""

    at: float
    """Simulated seconds."""
    endpoint: str
    deed: str
    detail: str


class Store:
    """The file, or the memory, behind a fleet."""

    def __init__(self, directory: Path | None) -> None:
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._db = sqlite3.connect(directory / "fleet.db" if directory else ":memory:", isolation_level=None, timeout=1)
        try:
            self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE;")
            self._db.executescript(_SCHEMA)
        except sqlite3.OperationalError as error:
            remedy = "end the simulator that uses this directory, or give another --state"
            raise NotServedError(f"the state in {directory} cannot be used", found=str(error), remedy=remedy) from error

    def remembered(self, key: str, value: str) -> str:
        """The value of the first start under this name; `value` if this is it."""
        self._db.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (key, value))
        return str(self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()[0])

    def remember(self, key: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def states(self) -> Iterator[tuple[str, State]]:
        for name, data in self._db.execute("SELECT name, state FROM endpoint"):
            yield name, states.from_json(data)

    def save(self, changed: Sequence[tuple[str, State]], entries: Sequence[Entry] = ()) -> None:
        """Keep states and what was done, all or nothing."""
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT OR REPLACE INTO endpoint VALUES (?, ?)", [(name, states.to_json(s)) for name, s in changed]
        )
        self._db.executemany("INSERT INTO deed (at, endpoint, deed, detail) VALUES (?, ?, ?, ?)", entries)
        self._db.execute("COMMIT")

    def entries(self, after: int = 0) -> Iterator[tuple[int, Entry]]:
        """The ledger's lines in their order, each with its number."""
        for id, *line in self._db.execute("SELECT * FROM deed WHERE id > ? ORDER BY id", (after,)):
            yield id, Entry(*line)

    def close(self) -> None:
        self._db.close()
