"""The deploy image: a plain Debian 12 as a whole disk, which Ironic writes to every host.

It holds no Kubernetes, no routing daemon and no container runtime: what makes a host a node comes
from the playbooks. It takes its name, keys and network from a config drive (cloud-init).

    python -m lab.images.deploy_image       builds it and prints its path
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from lab import roots, shell
from lab.errors import LabError
from lab.home import Home
from lab.images import store

NAME = "debian-12-base"
HERE = Path(__file__).parent

PACKAGES = (
    *("systemd", "systemd-sysv", "dbus", "udev", "kmod", "procps", "less"),
    *("iproute2", "iputils-ping", "ifupdown", "netbase", "openssh-server"),
    *("python3", "python3-apt", "curl", "ca-certificates", "gnupg"),
    # debootstrap does not resolve the virtual package that cloud-init's dependencies ask for.
    *("cloud-init", "cloud-guest-utils", "python3-cffi-backend"),
    # Reads the config drive where the kernel has no iso9660.
    "fuseiso",
)

# A node of a region updates when its operator says so, and nobody logs in at its console.
_MASKED = (
    *("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer"),
    *("e2scrub_reap.service", "fstrim.timer", "getty@tty1.service", "console-getty.service"),
)


@dataclass(frozen=True, kw_only=True)
class DeployImage:
    """A published deploy image, as the region's artifact index names it."""

    name: str
    path: Path
    """In the cache."""
    sha256: str
    size: int

    @property
    def file_name(self) -> str:
        """Name below `images/` of the images server."""
        return f"{self.name}-{self.sha256[:12]}.raw"

    def artifact(self, base_url: str) -> dict[str, str | int]:
        """The entry of `deploy_images` in artifacts.json."""
        url = f"{base_url}/images/{self.file_name}"
        return {"url": url, "sha256": self.sha256, "format": "raw", "size": self.size}


def anonymous(root: Path, masked: tuple[str, ...]) -> None:
    """Remove from a root tree what identifies one machine or a mirror, and what nobody reads on a node."""
    for pattern in ("var/cache/apt/*", "var/lib/apt/lists/*", "usr/share/doc", "usr/share/man", "usr/share/locale"):
        for path in root.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for pattern in ("etc/ssh/ssh_host_*", "etc/resolv.conf", "var/log/*.log"):
        for path in root.glob(pattern):
            path.unlink()
    for name in ("etc/apt/sources.list", "etc/machine-id", "etc/fstab"):
        (root / name).write_text("")
    (root / "etc/hostname").write_text("localhost\n")
    for unit in masked:
        link = root / "etc/systemd/system" / unit
        link.unlink(missing_ok=True)
        link.symlink_to("/dev/null")


TREE = roots.RootSpec(name="deploy", packages=PACKAGES, finish=lambda root: anonymous(root, _MASKED), revision=1)


def build(log: Path, report: store.Report = store.silent) -> DeployImage:
    """The image; made if the cache does not have it (about two minutes from nothing)."""
    overlay, script = HERE / "deploy", HERE / "deploy_image.sh"
    inputs = store.tree_inputs(overlay) | {"tree": TREE.digest.encode(), "script": script.read_bytes()}

    def make(draft: Path) -> None:
        report(f"deploy image: Debian tree of {len(PACKAGES)} packages and what they need")
        tree = roots.build(TREE, log)
        report("deploy image: disk image")
        raw = draft / f"{NAME}.raw"
        try:
            shell.run(script, tree, overlay, raw, log=log)
        except shell.CommandError as error:
            raise LabError(
                "the deploy image could not be made",
                found=error.output.strip()[-600:],
                remedy=f"read {log}; free space below {draft.parent} may be short (2 GiB are used)",
            ) from None
        (draft / "sha256").write_text(store.sha256_file(raw))

    done = store.build_once(store.digest_of(inputs), "deploy image", make, report)
    raw = done / f"{NAME}.raw"
    return DeployImage(name=NAME, path=raw, sha256=(done / "sha256").read_text(), size=raw.stat().st_size)


def publish(home: Home, report: store.Report = store.silent) -> DeployImage:
    """Build the image and put it below the images server."""
    home.make()
    image = build(home.logs / "deploy-image.log", report)
    store.publish(image.path, home.http / "images" / image.file_name)
    return image


if __name__ == "__main__":
    print(publish(Home.default(), lambda line: print(line, file=sys.stderr, flush=True)).path)
