"""A place of its own for a control plane: processes, mounts and network are name spaces that end with its first process."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

ADDRESS = "10.250.0.1"
"""Of the API server; nobody outside the name space can reach it."""


def inside(words: Sequence[str]) -> list[str]:
    """The command that runs `words` as the first process of such a place, which ends with whoever started it."""
    # kubeadm wants a device other than the loopback, and does not mind that nobody is at its other end.
    network = f"ip link add api type veth peer name nobody && ip address add {ADDRESS}/24 dev api"
    up = " && ".join(f"ip link set {device} up" for device in ("lo", "api", "nobody"))
    script = f"{network} && {up} && exec {shlex.join(words)}"
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
