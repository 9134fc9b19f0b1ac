"""What a program that is not static needs in its image: files of Debian packages and the shared libraries of both."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from lab import shell
from lab.images import debian, store

LOADER = "/lib64/ld-linux-x86-64.so.2"
_FOLDERS = ("/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu")


def collect(
    packages: Sequence[str], files: Sequence[str], programs: Iterable[Path], report: store.Report, log: Path
) -> dict[str, Path]:
    """Path in the image -> file: `files` of the packages, and every library that they and `programs` load."""
    root = _unpack(packages, report, log)
    found = {path: _inside(root, path) for path in files}
    loading = [file for file in (*found.values(), *programs) if _is_elf(file)]
    for path in {LOADER, *(library for file in loading for library in _libraries(root, file))}:
        found[path] = _inside(root, path)
    return dict(sorted(found.items()))


def _unpack(packages: Sequence[str], report: store.Report, log: Path) -> Path:
    archives = debian.fetch(packages, None, f"Debian packages {' '.join(packages)}", report, log)

    def make(draft: Path) -> None:
        for package in sorted(archives.glob("*.deb")):
            shell.run("dpkg-deb", "-x", package, draft)

    inputs = {"unpacked": archives.parent.name.encode()}
    return store.build_once(store.digest_of(inputs), f"files of {' '.join(packages)}", make, report)


def _libraries(root: Path, program: Path) -> set[str]:
    """The libraries that the tree's own loader would load for `program`, by their paths in the tree."""
    folders = ":".join(f"{root}{folder}" for folder in _FOLDERS)
    listing = shell.run(_inside(root, LOADER), "--inhibit-cache", "--library-path", folders, "--list", program)
    return set(re.findall(rf"=> {re.escape(str(root))}(/\S+) \(0x", listing))


def _is_elf(file: Path) -> bool:
    with file.open("rb") as source:
        return source.read(4) == b"\x7fELF"


def _inside(root: Path, path: str) -> Path:
    """The file behind `path` of the tree, with its links followed inside the tree."""
    found = root / path.lstrip("/")
    while found.is_symlink():
        target = found.readlink()
        found = root / target.relative_to("/") if target.is_absolute() else found.parent / target
    return found
