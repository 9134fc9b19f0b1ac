"""gdnsd from Debian's package, unpacked and not installed: installed it would take port 53 at the next boot.

Owns where the program comes from and how it is run in a namespace; its configuration is the caller's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab import shell
from lab.errors import LabError
from lab.images import debian

PACKAGE = "gdnsd"
_LIBRARIES = "usr/lib/x86_64-linux-gnu"
_STATUS = Path("/var/lib/dpkg/status")


@dataclass(frozen=True)
class Program:
    """Where gdnsd is, and what it needs to find its libraries."""

    folder: Path
    """Empty path of `usr/sbin` and `usr/bin`."""
    environment: Mapping[str, str]

    def path(self, name: str) -> Path:
        """Of `gdnsd` or `gdnsdctl`."""
        return self.folder / ("sbin" if name == "gdnsd" else "bin") / name

    def check(self, config: Path) -> str:
        """What gdnsd says of a configuration. Raises LabError where it refuses it."""
        return self._run("gdnsd", "-c", str(config), "checkconf")

    def control(self, config: Path, *words: str) -> str:
        """Answer of the running server to `gdnsdctl`."""
        return self._run("gdnsdctl", "-c", str(config), *words)

    def start(self, namespace: str, config: Path, log: Path) -> subprocess.Popen[bytes]:
        """A server in a namespace; it ends with SIGTERM."""
        with log.open("ab") as sink:
            return subprocess.Popen(
                ["ip", "netns", "exec", namespace, str(self.path("gdnsd")), "-c", str(config), "start"],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                env=dict(self.environment),
            )

    def _run(self, name: str, *words: str) -> str:
        done = subprocess.run(
            [self.path(name), *words],
            capture_output=True,
            text=True,
            check=False,
            env=dict(self.environment),
            timeout=30,
        )
        said = done.stdout + done.stderr
        if done.returncode:
            raise LabError(f"{name} refuses", found=said.strip()[-800:], remedy="correct what it names")
        return said


def program(folder: Path) -> Program:
    """The installed one, or Debian's package unpacked into a folder."""
    path = os.environ.get("PATH", "")
    installed = shutil.which("gdnsd", path=f"{path}:/usr/sbin")
    if installed:
        return Program(Path(installed).parents[1], dict(os.environ))
    root = folder / "gdnsd"
    archives = debian.fetch((PACKAGE,), _STATUS, "gdnsd", print, folder / "fetch.log")
    for archive in sorted(archives.glob("*.deb")):
        shell.run("dpkg-deb", "-x", archive, root)
    return Program(root / "usr", {"PATH": path, "LD_LIBRARY_PATH": str(root / _LIBRARIES)})
