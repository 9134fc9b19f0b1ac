"""A deployed host, asked over SSH who it is. Owns the question; the pinned key answers for the rest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from components.clients.ssh import SshAccess, SshConnection

IMAGE_MARK = "/etc/gpuregion-image"
"""Written at the first boot from the config drive; says which image was deployed."""


@dataclass(frozen=True, kw_only=True)
class HostIdentity:
    """What a host says of itself."""

    hostname: str
    image_sha256: str
    """Empty if the host has no mark."""


async def identify(address: str, access: SshAccess) -> HostIdentity:
    """Ask the host. Raises SshError, and HostKeyError if it does not have the pinned key."""
    connection = SshConnection(address, access)
    try:
        done = await connection.run(f"uname -n; cat {IMAGE_MARK}", timeout_s=10)
    finally:
        await connection.close()
    hostname, _, mark = done.out.partition("\n")
    return HostIdentity(hostname=hostname.strip(), image_sha256=_digest(mark))


def _digest(mark: str) -> str:
    try:
        content: Any = json.loads(mark)
        return str(content["sha256"])
    except (ValueError, KeyError, TypeError):
        return ""
