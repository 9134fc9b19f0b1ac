"""Debian packages whose programs the lab runs on the bench machine itself.

The list is `toolchain/debian-packages.txt`, from which `make install` installs and which `region doctor` reads too.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from lab.errors import LabError

FILE = Path(__file__).parent / "toolchain" / "debian-packages.txt"


def packages(text: str) -> Mapping[str, str]:
    """Package -> a program of it that tells whether it is installed; without those that the lab does not run."""
    lines = (line.partition("#")[0].split() for line in text.splitlines())
    return {words[0]: words[1] for words in lines if len(words) > 1}


def require() -> None:
    """Refuse to begin while a program is missing."""
    missing = [package for package, program in packages(FILE.read_text()).items() if not shutil.which(program)]
    if missing:
        raise LabError(
            "the lab needs programs that this machine lacks",
            found=f"not installed: {', '.join(missing)}",
            remedy=f"make install, or: apt-get install --no-install-recommends {' '.join(missing)}",
        )
