"""Packages of Debian, with all that they need. Owns how a closure is computed and fetched.

The work is apt's own: it resolves and downloads against the package list of a given machine (a dpkg
status file), with state of its own, so that nothing of this machine's apt is read but its mirror or changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from lab import roots, shell
from lab.errors import LabError
from lab.images import store

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def fetch(names: Sequence[str], status: Path | None, what: str, report: store.Report, log: Path) -> Path:
    """Folder with the .deb files that `names` need on a machine with this dpkg status (None: an empty one)."""
    installed = status.read_bytes() if status else b""
    inputs = {
        "suite": roots.SUITE.encode(),
        "names": " ".join(sorted(names)).encode(),
        "status": hashlib.sha256(installed).digest(),
    }

    def make(draft: Path) -> None:
        report(f"{what}: fetching {len(names)} Debian packages and what they need")
        _download(names, installed, draft, log)

    return store.build_once(store.digest_of(inputs), what, make, report) / "archives"


def _download(names: Sequence[str], installed: bytes, draft: Path, log: Path) -> None:
    apt = draft / "apt"
    for folder in ("state/lists/partial", "cache", "etc/preferences.d", "etc/trusted.gpg.d"):
        (apt / folder).mkdir(parents=True)
    (draft / "archives" / "partial").mkdir(parents=True)
    (apt / "status").write_bytes(installed)
    trust = f" [signed-by={KEYRING}]" if KEYRING.exists() else ""
    (apt / "etc" / "sources.list").write_text(f"deb{trust} {roots.mirror()} {roots.SUITE} main\n")
    options = {
        "Dir::State": apt / "state",
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt / "cache",
        "Dir::Cache::archives": draft / "archives",
        "Dir::Etc::sourcelist": apt / "etc" / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::Etc::preferences": "-",
        "Dir::Etc::preferencesparts": "-",
        "APT::Sandbox::User": "root",
        "APT::Install-Recommends": "false",
        "APT::Get::List-Cleanup": "false",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
        "Debug::NoLocking": "true",
    }
    arguments = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    try:
        shell.run("apt-get", "-q", *arguments, "-o", "APT::Update::Error-Mode=any", "update", log=log)
        shell.run("apt-get", "-q", "-y", *arguments, "--download-only", "install", *names, log=log)
    except shell.CommandError as error:
        raise LabError(
            f"Debian packages could not be fetched: {', '.join(names)}",
            found=error.output.strip()[-600:],
            remedy=f"read {log}; check that apt-get update works on this machine, then run this again",
        ) from None
    (draft / "archives" / "partial").rmdir()
    (draft / "archives" / "lock").unlink(missing_ok=True)
    shell.run("rm", "-r", apt)
