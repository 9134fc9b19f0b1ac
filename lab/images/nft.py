"""The nft program for the image of kube-proxy, with the libraries and tables it reads, out of Debian's packages."""

from __future__ import annotations

import re
from pathlib import Path

from lab import shell
from lab.images import debian, store

# Without /etc/protocols nft lists "tcp" as "6"; a restarted kube-proxy then takes its own entries for
# strangers and deletes every service of the host.
FILES = ("/usr/sbin/nft", "/etc/protocols")
_PACKAGES = ("nftables", "netbase")


def files(report: store.Report, log: Path) -> dict[str, Path]:
    """What the image needs: path in the image -> file."""
    archives = debian.fetch(_PACKAGES, None, "nft for kube-proxy", report, log)

    def make(draft: Path) -> None:
        for package in sorted(archives.glob("*.deb")):
            shell.run("dpkg-deb", "-x", package, draft)

    root = store.build_once(store.digest_of({"nft": str(archives).encode()}), "nft's files", make, report)
    # The loader itself tells what it would load: the tree has no shell that ldd could run in.
    listing = shell.run("chroot", root, "/lib64/ld-linux-x86-64.so.2", "--list", FILES[0])
    libraries = set(re.findall(r"(/\S+) \(0x", listing))
    return {path: _inside(root, path) for path in sorted({*FILES, *libraries})}


def _inside(root: Path, path: str) -> Path:
    """The file behind `path` of the tree, with its links followed inside the tree."""
    found = root / path.lstrip("/")
    while found.is_symlink():
        target = found.readlink()
        found = root / target.relative_to("/") if target.is_absolute() else found.parent / target
    return found
