"""SSH host keys of the region's machines.

Owns one ed25519 key for each machine, made before the machine exists, and the file of pinned keys: the
first contact with a new host is as safe as the hundredth. Private keys stay in a 0700 folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from components.clients.redaction import register
from components.clients.whole_file import write_whole

OPENSSH = serialization.Encoding.OpenSSH


@dataclass(frozen=True, kw_only=True)
class HostKey:
    """Both halves of a host key in OpenSSH's format."""

    private: str = field(repr=False)
    public: str
    """`ssh-ed25519 AAAA...`, without a comment."""


def region_hostkeys(project: Path, region: str) -> Path:
    """Folder of a region's host keys."""
    return project / ".region" / region / "secrets" / "hostkeys"


def region_known_hosts(project: Path, region: str) -> Path:
    """File of a region's pinned host keys."""
    return project / ".region" / region / "known_hosts"


def ensure_host_key(folder: Path, machine: str) -> HostKey:
    """The machine's key, made when it is first asked for."""
    for directory in (folder.parent, folder):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / machine
    if not path.exists():
        key = Ed25519PrivateKey.generate()
        text = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
        write_whole(path, text)
    private = register(path.read_text())
    return HostKey(private=private, public=public_half(private))


def public_half(private: str) -> str:
    """`ssh-ed25519 AAAA...` of a private key in OpenSSH's format."""
    key = serialization.load_ssh_private_key(private.encode(), password=None)
    return key.public_key().public_bytes(OPENSSH, serialization.PublicFormat.OpenSSH).decode()


def pin(known_hosts: Path, keys: Mapping[str, str]) -> None:
    """Pin the public key of each address; other lines of the file stay."""
    old = known_hosts.read_text().splitlines() if known_hosts.exists() else []
    kept = [line for line in old if line.split(" ", 1)[0] not in keys]
    lines = sorted({*kept, *(f"{address} {key}" for address, key in keys.items())})
    text = "".join(f"{line}\n" for line in lines)
    if not known_hosts.exists() or known_hosts.read_text() != text:
        known_hosts.parent.mkdir(parents=True, exist_ok=True)
        write_whole(known_hosts, text.encode(), 0o644)
