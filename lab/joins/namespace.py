"""A place of its own for a control plane: processes, mounts and network are name spaces that end with its first process."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

ADDRESS = "10.250.0.1"
"""Of the API server; on the loopback of the name space, where nobody else can be."""


def inside(words: Sequence[str]) -> list[str]:
    """The command that runs `words` as the first process of such a place, which ends with whoever started it."""
    script = f"ip link set lo up && ip address add {ADDRESS}/32 dev lo && exec {shlex.join(words)}"
    spaces = [
        "setpriv",
        "--pdeathsig",
        "KILL",
        "--",
        "unshare",
        "--mount",
        "--net",
        "--pid",
        "--fork",
        "--mount-proc",
        "--kill-child",
    ]
    return [*spaces, "sh", "-ec", script]
