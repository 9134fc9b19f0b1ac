"""Keys derived from passwords, kept without the passwords.

Owns what is kept and for how long. A result of PBKDF2 is found again by a mark: an HMAC of everything that went
into it, under a key that is drawn at random when the process starts and is never written anywhere. So the marks
of two processes have nothing in common, and a mark alone, without that key, cannot be tried against passwords.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

_MARK = "sha512"
_KEY_BYTES = 64


class Derive(Protocol):
    """As `hashlib.pbkdf2_hmac`."""

    def __call__(
        self, hash_name: str, password: bytes, salt: bytes, iterations: int, dklen: int | None = None
    ) -> bytes: ...


class KeptKeys:
    """Derives keys as PBKDF2 does, and keeps the latest of them."""

    def __init__(self, derive: Derive, size: Callable[[], int]) -> None:
        """`size` tells how many may be kept just now; 0: none, each is derived anew."""
        self._derive = derive
        self._size = size
        # Of the random key only this keyed state stays, which no name leads to and no representation shows.
        self._keyed = hmac.new(secrets.token_bytes(_KEY_BYTES), digestmod=_MARK)
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def pbkdf2_hmac(
        self, hash_name: str, password: bytes, salt: bytes, iterations: int, dklen: int | None = None
    ) -> bytes:
        """The derived key; the rounds are done only if it is not kept."""
        mark = self._mark(hash_name.encode(), password, salt, str(iterations).encode(), str(dklen).encode())
        with self._lock:
            if (kept := self._kept.get(mark)) is not None:
                self._kept.move_to_end(mark)
                return kept
        # Outside the lock: other nodes need not wait. Two threads may derive the same key; both get it right.
        derived = self._derive(hash_name, password, salt, iterations, dklen)
        with self._lock:
            self._kept[mark] = derived
            while len(self._kept) > self._size():
                self._kept.popitem(last=False)
        return derived

    def _mark(self, *parts: bytes) -> bytes:
        mark = self._keyed.copy()
        for part in parts:  # with its length, so that no two sets of parts read alike
            mark.update(len(part).to_bytes(8, "big") + part)
        return mark.digest()
