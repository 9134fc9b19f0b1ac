"""Passwords of BMCs: minted here, on disk before anybody can set them, and what is known of them.

Owns one directory, for its owner only: `RACK.json` with user and password of each endpoint, written once and whole;
`RACK.log` with what was seen of them, a line each. Losing the end of a log costs one try of a password, no more. A
record for Ironic names a password as `file:PATH#ENDPOINT`.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import secrets
import string
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from components.clients.secrets import SecretError, public_mode
from components.clients.whole_file import write_whole
from components.engine.bring_up.services import Passwords
from components.errors import Problem
from components.plan.bring_up.work import RackWork

LENGTH = 20
"""The most that every BMC takes (IPMI 2.0, which older ones share their accounts with)."""
LOCKOUT_S = 600.0
"""After a refusal for so long no password is sent: the fourth wrong one would lock the account."""
_ALPHABETS = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
_LETTERS = "".join(_ALPHABETS)


class PasswordFolder:
    """The passwords of a region's BMCs."""

    def __init__(
        self,
        folder: Path,
        factory: Mapping[str, str],
        *,
        lockout_s: float = LOCKOUT_S,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`factory`: endpoint -> password as delivered."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _refuse_public(folder)
        self._folder = folder
        self._factory = factory
        self._lockout_s = lockout_s
        self._now = now

    def path(self, rack: str) -> Path:
        """The file of a rack."""
        return self._folder / f"{rack}.json"

    async def open_rack(self, rack: RackWork) -> Mapping[str, Passwords]:
        """By endpoint; what is missing is minted, and on disk when this returns."""
        return await asyncio.to_thread(self._open, rack)

    async def note_set(self, rack: str, endpoint: str) -> None:
        """The minted password opens it."""
        self._note(rack, {"endpoint": endpoint, "is": "set"})

    async def note_refused(self, rack: str, endpoint: str) -> None:
        """No password opens it."""
        line = {"endpoint": endpoint, "is": "refused", "at": self._now(), "of": self._digest(endpoint)}
        self._note(rack, line)

    def minted(self, rack: str, endpoint: str) -> str:
        """The password that a rack's file has for an endpoint."""
        return cast("dict[str, dict[str, str]]", json.loads(self.path(rack).read_text()))[endpoint]["password"]

    def _open(self, rack: RackWork) -> Mapping[str, Passwords]:
        path, kept = self.path(rack.name), dict[str, dict[str, str]]()
        if path.exists():
            _refuse_public(path)
            kept = json.loads(path.read_text())
        missing = {e.name: {"username": e.username, "password": _mint()} for e in rack.endpoints if e.name not in kept}
        if missing:
            kept |= missing
            write_whole(path, json.dumps(kept, indent=1).encode())
        known = self._known(rack.name)
        return {
            e.name: Passwords(
                minted=kept[e.name]["password"],
                factory=self._factory[e.name],
                is_set=known.get(e.name, {}).get("is") == "set",
                is_refused=self._is_refused(known.get(e.name, {})),
            )
            for e in rack.endpoints
        }

    def _is_refused(self, line: Mapping[str, Any]) -> bool:
        # A clock that was set back makes it older than now: that counts as lately too.
        is_late = line.get("is") == "refused" and abs(self._now() - float(line["at"])) < self._lockout_s
        return is_late and line["of"] == self._digest(str(line["endpoint"]))

    def _digest(self, endpoint: str) -> str:
        """Of the delivered password: with a corrected list it is tried at once."""
        return hashlib.sha256(f"{endpoint}\n{self._factory[endpoint]}".encode()).hexdigest()[:16]

    def _known(self, rack: str) -> dict[str, dict[str, Any]]:
        """The last line of each endpoint; a line that a kill cut off counts for nothing."""
        path, known = self._folder / f"{rack}.log", dict[str, dict[str, Any]]()
        for line in path.read_text().splitlines() if path.exists() else ():
            try:
                found: dict[str, Any] = json.loads(line)
            except ValueError:
                continue
            known[found["endpoint"]] = found
        return known

    def _note(self, rack: str, line: Mapping[str, Any]) -> None:
        path = self._folder / f"{rack}.log"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a") as file:
            file.write(f"{json.dumps(line)}\n")


def _mint() -> str:
    """Letters and digits, some of each sort: what every BMC accepts."""
    while True:
        made = "".join(secrets.choice(_LETTERS) for _ in range(LENGTH))
        if all(set(made) & set(alphabet) for alphabet in _ALPHABETS):
            return made


def _refuse_public(path: Path) -> None:
    if mode := public_mode(path):
        problem = Problem(
            path=path.name,
            message="others may read the passwords of BMCs",
            found=mode,
            allowed="0o700 for the directory, 0o600 for its files",
            remedy=f"chmod go= {path.name}",
            rule="secret",
        )
        raise SecretError("a secret cannot be used", [problem])
