"""A PostgreSQL server of its own, in a directory, reached by a socket in it.

Owns the server's life: no port is opened, no other server is touched, and the directory is all it leaves.
Debian's packages: `apt-get install postgresql` (no server needs to be running).
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2

from lab.errors import LabError
from lab.ironic_scale.processes import Running, running

_NAME = "ironic"
_START_S = 30.0
_DEBIAN = Path("/usr/lib/postgresql")
_LONGEST_SOCKET = 90
"""Bytes of the directory's path: a socket's whole path has 107."""


@dataclass(frozen=True)
class Database:
    """A database that serves."""

    server: Running
    directory: Path
    programs: Path

    @property
    def url(self) -> str:
        """As SQLAlchemy takes it."""
        return f"postgresql+psycopg2://{_NAME}@/{_NAME}?host={self.directory}"

    def ask(self, sql: str, rows: Sequence[Sequence[object]] | None = None) -> list[tuple[Any, ...]]:
        """Rows that a statement answers with; with `rows`, it is done for each of them and answers nothing."""
        connected = contextlib.closing(psycopg2.connect(host=str(self.directory), user=_NAME, dbname=_NAME))
        with connected as connection, connection, connection.cursor() as cursor:
            if rows is not None:
                cursor.executemany(sql, rows)
                return []
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []


def programs() -> Path | None:
    """Directory of the newest PostgreSQL's programs, if one is installed."""
    found = sorted(_DEBIAN.glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("postgres")
    return Path(on_path).resolve().parent if on_path else None


@contextmanager
def serving(directory: Path, *, connections: int) -> Generator[Database]:
    """A server on a new cluster in the directory, with an empty database."""
    at = programs()
    if at is None:
        raise LabError("PostgreSQL is not installed", remedy="apt-get install postgresql")
    if len(str(directory)) > _LONGEST_SOCKET:
        raise LabError("a directory's path is too long for a socket in it", found=str(directory))
    user = _prepare(directory)
    log = directory.parent / "postgres.log"
    with running(
        "initdb", [at / "initdb", "-D", directory / "data", "-U", _NAME, "-A", "trust"], log=log, user=user
    ) as it:
        if it.process.wait():
            raise LabError("a database cluster could not be made", found=log.read_text()[-600:])
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": directory,
        "unix_socket_permissions": "0700",
        "max_connections": connections,
        "shared_buffers": "256MB",
    }
    words = [at / "postgres", "-D", directory / "data", *(w for k, v in settings.items() for w in ("-c", f"{k}={v}"))]
    # SIGINT is PostgreSQL's "fast" end: it does not wait for clients.
    with running("postgres", words, log=log, user=user, stop=signal.SIGINT) as server:
        _wait(server, directory, at, log)
        subprocess.run([at / "createdb", "-h", directory, "-U", _NAME, _NAME], check=True, capture_output=True)
        yield Database(server, directory, at)


def _prepare(directory: Path) -> str | None:
    """Make the directory, for the user that PostgreSQL will run as; that user, if it has to be another."""
    directory.mkdir(mode=0o700)
    if os.geteuid() != 0:
        return None
    owner = pwd.getpwnam("postgres")
    os.chown(directory, owner.pw_uid, owner.pw_gid)
    return owner.pw_name


def _wait(server: Running, directory: Path, at: Path, log: Path) -> None:
    end = time.monotonic() + _START_S
    while subprocess.run([at / "pg_isready", "-q", "-h", directory, "-U", _NAME], check=False).returncode:
        if server.process.poll() is not None or time.monotonic() > end:
            raise LabError("PostgreSQL does not start", found=log.read_text()[-600:], remedy=f"read {log}")
        time.sleep(0.05)
