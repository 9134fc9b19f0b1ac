"""Debian packages whose programs the lab runs on the bench machine itself.

Services such as chrony and nginx are not among them: they would start by themselves and meddle with
the machine's clock and ports. The lab runs those from a root tree of its own.
"""

from __future__ import annotations

import shutil

from lab.errors import LabError

PACKAGES = {
    "debootstrap": "debootstrap",
    "e2fsprogs": "mkfs.ext4",
    "fdisk": "sfdisk",
    "genisoimage": "mkisofs",
    "iproute2": "ip",
    "libarchive-tools": "bsdtar",
    "mount": "losetup",
    "openssh-client": "ssh",
    "procps": "sysctl",
    "systemd-container": "systemd-nspawn",
    "util-linux": "nsenter",
}
"""Package and a program of it that tells whether it is installed."""


def require() -> None:
    """Refuse to begin while a program is missing."""
    missing = [package for package, program in PACKAGES.items() if not shutil.which(program)]
    if missing:
        raise LabError(
            "the lab needs programs that this machine lacks",
            found=f"not installed: {', '.join(missing)}",
            remedy=f"apt-get install --no-install-recommends {' '.join(missing)}",
        )
