"""Content-addressed store of built images: `<cache>/images/<digest of all inputs>/`.

An entry is made in a draft directory and renamed when it is whole, so a build that was killed
leaves nothing that could be taken for an image, and two checkouts share what they have in common.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Generator, Mapping
from pathlib import Path

from lab.errors import LabError
from lab.home import cache

Report = Callable[[str], None]


def silent(_: str) -> None:
    """Progress that nobody reads."""


def tree_inputs(directory: Path) -> dict[str, bytes]:
    """Every file below a directory by its relative path; whether it may be executed counts too."""
    files = sorted(path for path in directory.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {
        f"{path.relative_to(directory)}:{'x' if os.access(path, os.X_OK) else '-'}": path.read_bytes() for path in files
    }


def digest_of(inputs: Mapping[str, bytes]) -> str:
    """One digest for named contents; neither order nor a boundary between them can be confused."""
    total = hashlib.sha256()
    for name in sorted(inputs):
        content = inputs[name]
        total.update(f"{len(name)}:{name}{len(content)}:".encode())
        total.update(content)
    return total.hexdigest()[:16]


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's content, in hex."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def entry(digest: str) -> Path:
    """Where a finished image is, or will be."""
    return cache() / "images" / digest


_noted: set[Path] | None = None


@contextlib.contextmanager
def only_noting() -> Generator[set[Path]]:
    """Within it nothing is built: which entries are asked for is noted, and one that is missing is an error."""
    global _noted  # images are asked for in threads, which no context variable would reach
    _noted = noted = set[Path]()
    try:
        yield noted
    finally:
        _noted = None


def build_once(digest: str, what: str, make: Callable[[Path], None], report: Report) -> Path:
    """The entry's directory; makes it if this cache does not have it."""
    done = entry(digest)
    if _noted is not None:
        _noted.add(done)
        if not done.exists():
            raise LabError(f"{what} is not in the cache", found=f"no {done}", remedy="run `make lab`, which builds it")
    if done.exists():
        report(f"{what}: in the cache ({digest})")
        return done
    done.parent.mkdir(parents=True, exist_ok=True)
    with done.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another checkout may be making the same image
        if done.exists():
            return done
        began = time.monotonic()
        draft = done.with_suffix(".part")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        make(draft)
        draft.rename(done)
        report(f"{what}: built in {time.monotonic() - began:.0f} s ({digest})")
    return done


def publish(source: Path, target: Path) -> None:
    """Put a file of the store where a server finds it, without a copy where the file system allows."""
    if target.exists() and target.stat().st_size == source.stat().st_size:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    try:
        draft.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, draft)
    draft.replace(target)
