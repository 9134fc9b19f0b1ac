"""The agent ramdisk: Debian with ironic-python-agent, which Ironic boots from a virtual medium.

The agent comes from PyPI by the hashes of `ramdisk.lock`. The certificate authority of Ironic's
API is not in it: Ironic puts it on each medium, so one ramdisk serves every region.

    python -m lab.images.ramdisk        builds it and prints its directory
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from lab import roots, shell
from lab.errors import LabError
from lab.home import PROJECT, Home
from lab.images import store
from lab.images.deploy_image import anonymous

HERE = Path(__file__).parent
_LOCK = HERE / "ramdisk.lock"
_UV = PROJECT / ".tools" / "uv" / "bin" / "uv"
"""Put there by lab/toolchain/bootstrap.sh."""

PACKAGES = (
    *("systemd", "systemd-sysv", "dbus", "udev", "kmod", "procps", "psmisc", "iproute2", "iputils-ping"),
    *("python3", "ca-certificates", "qemu-utils", "util-linux", "fdisk", "gdisk", "parted"),
    *("e2fsprogs", "xfsprogs", "dosfstools", "mdadm", "nvme-cli", "hdparm", "smartmontools"),
    *("lshw", "dmidecode", "pciutils"),
    # Without hexdump each deployment loses five seconds to retries.
    "bsdextrautils",
    # Reads media where the kernel has no iso9660.
    *("libarchive-tools", "fuseiso"),
    # The boot loader of the media that Ironic makes.
    *("isolinux", "syslinux-common"),
)
_LOADER = ("usr/lib/ISOLINUX/isolinux.bin", "usr/lib/syslinux/modules/bios/ldlinux.c32")

_MASKED = (
    *("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer"),
    *("e2scrub_reap.service", "fstrim.timer", "smartmontools.service", "mdmonitor.service"),
    *("getty@tty1.service", "console-getty.service"),
    *("nvmf-autoconnect.service", "nvmefc-boot-connections.service"),
)

TREE = roots.RootSpec(name="agent", packages=PACKAGES, finish=lambda root: anonymous(root, _MASKED), revision=1)


@dataclass(frozen=True, kw_only=True)
class Ramdisk:
    """What Ironic boots to inspect, clean and deploy."""

    kernel: Path
    """A marker: simulated machines run their host's kernel."""
    initrd: Path

    @property
    def loader(self) -> tuple[Path, Path]:
        """isolinux and its library, for the media that Ironic makes."""
        first, second = (self.initrd.parent / Path(file).name for file in _LOADER)
        return first, second


def build(log: Path, report: store.Report = store.silent) -> Ramdisk:
    """The ramdisk; made if the cache does not have it (about three minutes from nothing)."""
    overlay, script = HERE / "agent", HERE / "ramdisk.sh"
    inputs = store.tree_inputs(overlay) | {
        "tree": TREE.digest.encode(),
        "script": script.read_bytes(),
        "lock": _LOCK.read_bytes(),
    }

    def make(draft: Path) -> None:
        report(f"agent ramdisk: Debian tree of {len(PACKAGES)} packages and what they need")
        tree = roots.build(TREE, log)
        report("agent ramdisk: archive")
        try:
            shell.run(script, tree, agent(log, report), overlay, draft / "agent.cpio.zst", log=log)
        except shell.CommandError as error:
            raise LabError(
                "the agent ramdisk could not be made",
                found=error.output.strip()[-600:],
                remedy=f"read {log}; free space below {draft.parent} may be short (1 GiB is used)",
            ) from None
        for file in _LOADER:
            shutil.copyfile(tree / file, draft / Path(file).name)
        (draft / "agent.kernel").write_text("no kernel: a simulated machine runs its host's\n")

    done = store.build_once(store.digest_of(inputs), "agent ramdisk", make, report)
    return Ramdisk(kernel=done / "agent.kernel", initrd=done / "agent.cpio.zst")


def agent(log: Path, report: store.Report = store.silent) -> Path:
    """Directory with ironic-python-agent and what it needs, by the hashes of the lock file."""

    def make(draft: Path) -> None:
        report("agent ramdisk: ironic-python-agent")
        # The Python of the ramdisk is Debian's 3.11, whatever runs this program.
        python = ("--python", sys.executable, "--python-version", "3.11")
        shell.run(
            *(_UV, "pip", "install", "--target", draft / "ipa", "--no-deps", "--require-hashes", *python, "-r", _LOCK),
            log=log,
        )

    inputs = {"lock": _LOCK.read_bytes(), "for": b"ironic-python-agent"}
    return store.build_once(store.digest_of(inputs), "ironic-python-agent", make, report) / "ipa"


if __name__ == "__main__":
    home = Home.default()
    home.make()
    print(build(home.logs / "ramdisk.log", lambda line: print(line, file=sys.stderr, flush=True)).initrd.parent)
