"""Removes from the cache what the pins of this checkout no longer name: programs, root trees and images.

What is named is found by asking for everything, as `up` does, while nothing may be built. So it knows only a
checkout whose parts are all built, and refuses any other. The cache is shared: another checkout with other pins
builds again what it misses.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from lab.context import Lab
from lab.errors import LabError
from lab.home import cache
from lab.images import apt_repository, deploy_image, manifests, publish, ramdisk, store, weights
from lab.switches import root as factory
from lab.toolchain.build import missing
from lab.toolchain.catalogue import catalogue
from lab.toolchain.golang import go
from lab.toolchain.store import place

KINDS = ("programs", "roots", "images")


@dataclass(frozen=True, kw_only=True)
class Stale:
    """An entry that nothing names."""

    kind: str
    path: Path
    size: int
    """Bytes on the disk that its removal gives back."""
    what: str
    """Some names of what is in it, for a person."""


def pinned(lab: Lab) -> set[Path]:
    """Entries of the cache that this checkout uses; LabError if some are not built yet."""
    listing = catalogue()
    if lacking := missing(listing.select()):
        raise LabError("what is in use is not known", found=f"not built: {', '.join(lacking)}", remedy="make tools")
    parts = [*listing.programs.values(), *listing.files.values()]
    named = {place(part, go().platform, cache()).parent for part in parts}
    named |= {spec.path for spec in (factory.SPEC, deploy_image.TREE, ramdisk.TREE)}
    log = lab.home.logs / "prune.log"
    with store.only_noting() as images:
        deploy_image.build(log)
        ramdisk.build(log)
        ramdisk.agent(log)
        apt_repository.collect(store.silent, log)
        built = publish.build_images(lab)
        for add_on in manifests.ADD_ONS:
            manifests.build(add_on, built, publish.registry_reference(lab), store.silent)
        for checkpoint in weights.CHECKPOINTS:
            weights.build(checkpoint)
    return named | images


def stale(named: set[Path], where: Path) -> list[Stale]:
    """Entries of a cache that are not among the named ones, drafts of builds that were killed included."""
    found = (path for kind in KINDS if (where / kind).is_dir() for path in sorted((where / kind).iterdir()))
    return [
        Stale(kind=path.parent.name, path=path, size=_size(path), what=_what(path))
        for path in found
        if path.is_dir() and path not in named
    ]


def remove(entry: Stale) -> bool:
    """Remove an entry, unless it is in use or being made; whether it is gone."""
    if any(str(entry.path) in line for line in Path("/proc/self/mountinfo").read_text().splitlines()):
        return False  # a switch or machine that has power lies over it
    with _lock(entry).open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        # Out of its name at once: half an entry must never be taken for a whole one.
        doomed = entry.path.with_name(f".{entry.path.name}.{os.getpid()}")
        entry.path.rename(doomed)
        shutil.rmtree(doomed)
    return True


def _lock(entry: Stale) -> Path:
    """What whoever makes this entry holds. The file stays: somebody may be waiting for it."""
    if entry.kind == "programs":
        return entry.path.parents[1] / "locks" / f"program-{entry.path.name}"
    return entry.path.with_suffix(".lock")


def _size(path: Path) -> int:
    """Blocks of its files; those that something else links too stay on the disk."""
    files = (Path(folder) / name for folder, _, names in os.walk(path) for name in names)
    return sum(s.st_blocks * 512 for s in (f.lstat() for f in files) if s.st_nlink == 1)


def _what(path: Path) -> str:
    names = sorted(p.name for p in path.iterdir())
    return " ".join(names[:3]) + (" ..." if len(names) > 3 else "")
