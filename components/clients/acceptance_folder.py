"""The acceptance ledger on this machine: a folder of closed batches and the one that grows.

Owns what is on the disk and when: a line counts once it is synced, a batch is closed by a rename and never written
again. What a killed run left half-written is cut off at the last whole line; nobody was told that it is recorded.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from components.clients.whole_file import sync_folder, write_whole
from components.engine.acceptance_verdict import Anchor
from components.errors import Problem, RegionError

GROWING = "growing"
_SUFFIX = ".ledger"
_ANCHOR = "anchor"
RUNBOOK = "docs/runbooks/LedgerDoesNotVerify.md"


class LedgerError(RegionError):
    """The ledger cannot be read or written; what was recorded before stands."""


class LedgerFolder:
    """The files of one ledger. One writer at a time: whoever writes holds the run's lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    @property
    def lock(self) -> Path:
        """The file that its one writer locks."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.path / "lock"

    def batches(self) -> list[str]:
        """Names of closed batches, in order."""
        return sorted(p.name for p in self.path.glob(f"*{_SUFFIX}"))

    def read(self, name: str) -> bytes:
        """Content of a batch."""
        try:
            return (self.path / name).read_bytes()
        except OSError as error:
            raise _refusal(self.path / name, error) from error

    def contents(self) -> Iterator[tuple[str, bytes]]:
        """All batches with their names, the growing one last."""
        for name in self.batches():
            yield name, self.read(name)
        if growing := self.whole_lines():
            yield GROWING, growing

    def whole_lines(self) -> bytes:
        """What the growing batch holds for certain."""
        try:
            content = (self.path / GROWING).read_bytes()
        except FileNotFoundError:
            return b""
        return content[: content.rfind(b"\n") + 1]

    def recover(self) -> None:
        """Cut off what a killed run left half-written."""
        growing = self.path / GROWING
        if growing.is_file() and growing.stat().st_size > (whole := len(self.whole_lines())):
            os.truncate(growing, whole)

    def append(self, lines: bytes) -> int:
        """Add lines to the growing batch and return its size once they are on the disk. All of them or none."""
        try:
            if self._handle is None:
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
                self._handle = os.open(self.path / GROWING, flags, 0o600)
                sync_folder(self.path)
            before = os.fstat(self._handle).st_size
            try:
                view = memoryview(lines)
                while view:
                    view = view[os.write(self._handle, view) :]
                os.fsync(self._handle)
            except OSError:
                os.ftruncate(self._handle, before)
                raise
        except OSError as error:
            raise _refusal(self.path / GROWING, error) from error
        return before + len(lines)

    def close_batch(self) -> str | None:
        """Close the growing batch under the next number; its name, or None where it is empty."""
        self.close()
        growing = self.path / GROWING
        if not growing.is_file() or not growing.stat().st_size:
            return None
        batches = self.batches()
        name = f"{int(batches[-1].removesuffix(_SUFFIX)) + 1 if batches else 1:06d}{_SUFFIX}"
        try:
            growing.rename(self.path / name)
            sync_folder(self.path)
        except OSError as error:
            raise _refusal(growing, error) from error
        return name

    def take(self, name: str, content: bytes) -> None:
        """Keep a batch that another machine wrote."""
        write_whole(self.path / name, content)

    def anchor(self) -> tuple[str, Anchor | None]:
        """The last batch that the store was seen to hold, and its last entry; an empty name and None before any."""
        try:
            name, _, text = (self.path / _ANCHOR).read_text().partition(" ")
            return name, Anchor.read(text)
        except FileNotFoundError:
            return "", None
        except (OSError, ValueError) as error:
            raise _refusal(self.path / _ANCHOR, error) from error

    def set_anchor(self, name: str, anchor: Anchor) -> None:
        """Note what the store holds."""
        write_whole(self.path / _ANCHOR, f"{name} {anchor}\n".encode())

    def close(self) -> None:
        """Let go of the growing batch's file."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _refusal(path: Path, error: Exception) -> LedgerError:
    problem = Problem(
        path=str(path),
        message="the acceptance ledger's file cannot be used",
        found=str(error),
        remedy=f"make room or mend the file system, then run again; see {RUNBOOK}",
    )
    return LedgerError("nothing more is recorded", [problem])
