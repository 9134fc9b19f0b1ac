"""Debian root trees that machines of the lab share, made once and kept by content.

A tree is named by the digest of everything it is made from, so it is never changed after it was
made: machines lay a writable layer of their own over it. debootstrap runs in a mount name space of its
own, so that a killed build leaves no mount behind and its remains can be deleted.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab import shell
from lab.errors import LabError
from lab.home import cache

SUITE = "bookworm"


@dataclass(frozen=True, kw_only=True)
class RootSpec:
    """What a root tree is made from."""

    name: str
    packages: tuple[str, ...]
    """Debian packages on top of the minimal base. Virtual packages are not resolved: name the real ones."""
    finish: Callable[[Path], None]
    """Last changes to the tree, before anybody uses it."""
    revision: int
    """Raised whenever `finish` changes, because a function has no digest."""

    @property
    def digest(self) -> str:
        content = json.dumps([SUITE, self.name, sorted(self.packages), self.revision])
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    @property
    def path(self) -> Path:
        """Where the finished tree is, or will be."""
        return cache() / "roots" / self.digest


def build(spec: RootSpec, log: Path) -> Path:
    """The tree's path; makes it if this cache does not have it. About a minute."""
    if spec.path.exists():
        return spec.path
    spec.path.parent.mkdir(parents=True, exist_ok=True)
    with spec.path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another checkout may be making the same tree
        if spec.path.exists():
            return spec.path
        draft = spec.path.with_suffix(".part")
        _remove(draft)
        try:
            shell.run(
                *("unshare", "--mount", "--pid", "--fork", "--kill-child=KILL"),
                *("debootstrap", "--variant=minbase", f"--include={','.join(spec.packages)}"),
                *(SUITE, draft, mirror()),
                log=log,
            )
        except shell.CommandError as error:
            raise LabError(
                f"debootstrap could not make the root tree of {spec.name}",
                found=error.output.strip()[-600:],
                remedy=f"read {log}; check that apt-get update works on this machine, then run this again",
            ) from None
        spec.finish(draft)
        draft.rename(spec.path)
    return spec.path


def program(tree: Path, name: str) -> list[str]:
    """How to run a program of a root tree on this machine, with the tree's own libraries."""
    (loader,) = tree.glob("usr/lib*/*/ld-linux-*.so.*")
    libraries = ":".join(str(d) for d in tree.glob("usr/lib/*-linux-gnu*"))
    return [str(loader), "--library-path", libraries, str(tree / name)]


def mirror() -> str:
    """The Debian mirror that this machine's own apt uses."""
    sources = Path("/etc/apt")
    files = [sources / "sources.list", *sorted((sources / "sources.list.d").glob("*"))]
    for file in files:
        if file.suffix not in (".list", ".sources") or not file.exists():
            continue
        text = file.read_text()
        found = re.search(r"^URIs:\s*(\S+)", text, re.M) or re.search(
            r"^deb\s+(?:\[[^]]*\]\s*)?(\S+)\s+\w+ ", text, re.M
        )
        if found and "security" not in found[1]:
            return found[1]
    raise LabError(
        "no Debian mirror is known",
        found="no deb line in /etc/apt/sources.list or /etc/apt/sources.list.d",
        remedy="give this machine an apt source, as any Debian has",
    )


def _remove(tree: Path) -> None:
    if any(f" {tree}" in line for line in Path("/proc/self/mountinfo").read_text().splitlines()):
        raise LabError(f"something is mounted below {tree}", remedy=f"umount what `findmnt -R {tree}` shows")
    shutil.rmtree(tree, ignore_errors=True)
