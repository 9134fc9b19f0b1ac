"""Where the program keeps what on a switch, and how it writes there."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import Any

CONFIG = Path("/etc/frr/frr.conf")
VOLATILE = Path("/run/gpuregion")
"""Gone after a reboot, and with it any pending commit: the startup configuration is still the old one."""
KEPT = Path("/var/lib/gpuregion")
LOG = Path("/var/log/gpuregion-commit.log")


class Refused(Exception):
    """The switch does not do it; the text says why."""

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details = details


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def write(path: Path, text: str) -> None:
    """Whole or not at all, also after a power cut."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    with new.open("w") as f:
        f.write(text)
        f.flush()
        os.fsync(f.fileno())
    if path == CONFIG:
        owner = path.parent.stat()  # FRR's own user must be able to read it
        os.chown(new, owner.st_uid, owner.st_gid)
    new.chmod(0o640)
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def log(text: str) -> None:
    with LOG.open("a") as f:
        f.write(f"{time.strftime('%FT%TZ', time.gmtime())} {text}\n")
