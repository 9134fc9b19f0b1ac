"""Limits of the bench machine's kernel that a lab would run into, raised while it is up.

Every systemd, kubelet and containerd watches files with inotify instances, which the kernel counts for all
of them together, since all belong to root. At the usual limit of 128 a full lab stops in odd places: a
switch that boots and never reaches sshd. These are the only settings of the host that the lab ever
changes, and `down` puts them back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from lab.home import RUN, write_atomically

_SYS = Path("/proc/sys")
_RECORD = RUN / "limits.json"

WANTED: Mapping[str, int] = {"fs/inotify/max_user_instances": 1024, "fs/inotify/max_user_watches": 65536}


def raise_all(wanted: Mapping[str, int] = WANTED) -> bool:
    """Raise what is too low; whether anything was. What was there is written down first."""
    low = {key: value for key, wish in wanted.items() if (value := _read(key)) < wish}
    if low:
        write_atomically(_RECORD, json.dumps({**low, **_before()}))
    for key in low:
        (_SYS / key).write_text(str(wanted[key]))
    return bool(low)


def restore(wanted: Mapping[str, int] = WANTED) -> bool:
    """Put back what `raise_all` changed, unless somebody has changed it since; whether anything was."""
    done = False
    for key, value in _before().items():
        if _read(key) == wanted.get(key):
            (_SYS / key).write_text(str(value))
            done = True
    _RECORD.unlink(missing_ok=True)
    return done


def _read(key: str) -> int:
    return int((_SYS / key).read_text())


def _before() -> dict[str, int]:
    return json.loads(_RECORD.read_text()) if _RECORD.exists() else {}
