"""Where built things lie. Owns content keys, the place of a program in the cache, locks and whole files.

The cache is shared by all clones and by all processes of a machine: a key is built once, whoever
comes second waits for the lock and finds it done. A file appears under its name only when it is whole.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from lab.toolchain.catalogue import ModuleFile, Program
from lab.toolchain.golang import FLAGS


def digest(*parts: str | bytes) -> str:
    """SHA-256 of the parts, each with its length, so that no two lists of parts agree by accident."""
    hashed = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        hashed.update(f"{len(data)}:".encode() + data)
    return hashed.hexdigest()


def content_key(item: Program | ModuleFile, platform: str) -> str:
    """The key of a program: its module's files, its flags and the Go tool; equal keys, equal program."""
    module = item.module
    sources = sorted(f for f in module.folder.iterdir() if _is_source(f.name))
    parts: list[str | bytes] = [platform]
    for file in sources:
        parts += [file.name, file.read_bytes()]
    if isinstance(item, Program):
        recipe = {"flags": FLAGS, "ldflags": module.ldflags, "embed": dict(module.embed), "package": item.package}
    else:
        recipe = {"module": item.source, "path": item.path}
    return digest(*parts, json.dumps(recipe, sort_keys=True))


def _is_source(name: str) -> bool:
    return name in ("go.mod", "go.sum") or (name.endswith(".go") and not name.endswith("_test.go"))


def place(item: Program | ModuleFile, platform: str, cache: Path) -> Path:
    """Where the cache holds `item`, whether it is there yet or not."""
    return cache / "programs" / content_key(item, platform)[:32] / item.name


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Holds an advisory lock on the file `path` (made if absent); released when the process dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def whole_file(path: Path, mode: int = 0o644) -> Generator[Path]:
    """A temporary path to write; it takes the name `path` at the end, or is removed after a failure."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        partial.chmod(mode)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
