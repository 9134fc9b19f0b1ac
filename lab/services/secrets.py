"""Credentials of the lab: random, made once, readable by the owner only.

Nothing here is ever replaced: whoever was given a credential keeps a working one until the lab is purged.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lab.home import Home, write_atomically
from lab.wiring import Wiring

_PRIVATE = 0o600


def ensure(home: Home, wiring: Wiring) -> bool:
    """Make the credentials that are missing; whether any was."""
    made = _ensure_json(home.secrets / "bmc.json", {"username": "operator", "password": _password()})
    made |= _ensure_json(home.secrets / "ironic.json", {"username": "region", "password": _password()})
    made |= _ensure_json(home.secrets / "registry.json", {"username": "operator", "password": _password()})
    made |= _ensure_json(home.secrets / "s3.json", {"access_key": f"LAB{_word(17)}", "secret_key": _password()})
    made |= _ensure_json(
        home.secrets / "weights_reader.json", {"access_key": "weights-reader", "secret_key": _password()}
    )
    made |= _ensure_key(home.secrets / "ssh_key", f"operator@{wiring.domain}")
    lines: list[str] = []
    for switch in wiring.switches:
        key = switch_host_key(home, switch.name)
        made |= _ensure_key(key, switch.name)
        kind, public = key.with_suffix(".pub").read_text().split()[:2]
        lines.append(f"{switch.oob_address} {kind} {public}\n")
    pins = home.secrets / "switch_known_hosts"
    if not pins.exists() or pins.read_text() != "".join(lines):
        write_atomically(pins, "".join(lines), _PRIVATE)
        made = True
    return made


def read(home: Home, name: str) -> dict[str, str]:
    """One of the credentials, such as `bmc`."""
    return json.loads((home.secrets / f"{name}.json").read_text())


def switch_host_key(home: Home, switch: str) -> Path:
    """Private host key of a switch; the public one lies beside it."""
    return home.switches / switch / "host_key"


def _ensure_json(path: Path, content: Mapping[str, str]) -> bool:
    if path.exists():
        return False
    write_atomically(path, json.dumps(content) + "\n", _PRIVATE)
    return True


def _ensure_key(path: Path, comment: str) -> bool:
    """An ed25519 key pair in OpenSSH's format. The private one is written last: it tells that both are there."""
    if path.exists():
        return False
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    write_atomically(path.with_suffix(".pub"), f"{public.decode()} {comment}\n")
    write_atomically(path, private.decode(), _PRIVATE)
    return True


def _password() -> str:
    return secrets.token_urlsafe(24)


def _word(length: int) -> str:
    return "".join(secrets.choice("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(length))
