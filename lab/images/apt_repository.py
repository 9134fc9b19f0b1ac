"""The region's apt repository: our packages and those of Debian that a node needs, indexed and signed.

A host installs everything from here. The list of Debian packages is complete relative to the deploy image:
what the image has is not in it, what the playbooks install is, with all dependencies.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lab import roots, shell
from lab.home import Home, cache, write_atomically
from lab.images import debian, packages, store
from lab.images.deploy_image import TREE
from lab.toolchain.build import ensure

DEBIAN = (
    *("chrony", "jq"),
    *("frr", "frr-pythontools"),
    *("conntrack", "ethtool", "iptables", "nftables", "socat"),
    *("runc", "containernetworking-plugins"),
)
"""What the playbooks install on a host besides our own packages."""
COMPONENT = "main"
ARCHITECTURE = "amd64"
_KEY_NAME = "Repository of the lab"


def publish(home: Home, report: store.Report = store.silent) -> bool:
    """Make the repository below `home.apt` what it should be; returns whether it changed."""
    log = home.logs / "apt-repository.log"
    files = collect(report, log)
    key = signing_key(home)
    # A file of the cache lies in a folder that is named by its content.
    inputs = {file.name: str(file.relative_to(cache())).encode() for file in files}
    digest = store.digest_of(inputs | {"key": key.read_bytes(), "suite": roots.SUITE.encode()})
    stamp = home.apt / ".made-from"
    if stamp.exists() and stamp.read_text() == digest:
        return False
    report(f"apt repository: {len(files)} packages")
    pool = home.apt / "pool"
    wanted = {pool_name(file.name): file for file in files}
    for name, file in wanted.items():
        store.publish(file, pool / name)
    for old in pool.iterdir():
        if old.name not in wanted:
            old.unlink()
    _index(home, key, log)
    write_atomically(stamp, digest)
    return True


def collect(report: store.Report, log: Path) -> list[Path]:
    """All .deb files of the repository, from the cache or made now."""
    ours = packages.read()
    programs = ensure(*sorted({name for package in ours for name in package.programs}))
    built = [packages.build(package, programs, report, log) for package in ours]
    tree = roots.build(TREE, log)
    folder = debian.fetch(DEBIAN, tree / "var/lib/dpkg/status", "Debian packages of a host", report, log)
    return [*built, *sorted(folder.glob("*.deb"))]


def signing_key(home: Home) -> Path:
    """Private key that signs the index, made once for each lab; its public half is pki/apt.asc."""
    secret, public = home.secrets / "apt_signing_key.asc", home.pki / "apt.asc"
    if not secret.exists():
        with _keyring() as keyring:
            _gpg(keyring, "--passphrase", "", "--quick-generate-key", _KEY_NAME, "ed25519", "sign", "never")
            write_atomically(secret, _gpg(keyring, "--armor", "--export-secret-keys"), 0o600)
        public.unlink(missing_ok=True)
    if not public.exists():
        with _keyring(secret) as keyring:
            write_atomically(public, _gpg(keyring, "--armor", "--export"))
    return secret


def pool_name(file_name: str) -> str:
    """apt writes an epoch into the name of what it downloads, as %3a; a repository has none there."""
    return re.sub(r"_\d+%3a", "_", file_name)


def _index(home: Home, key: Path, log: Path) -> None:
    """Write the index of packages and its signed release file, each whole."""
    dist = home.apt / "dists" / roots.SUITE
    lists = dist / COMPONENT / f"binary-{ARCHITECTURE}"
    lists.mkdir(parents=True, exist_ok=True)
    index = _ftparchive(home.apt, "packages", "pool")
    write_atomically(lists / "Packages", index)
    shell.run("gzip", "-9nkf", lists / "Packages", log=log)
    for stale in ("InRelease", "Release", "Release.gpg"):
        (dist / stale).unlink(missing_ok=True)
    facts = {
        "Origin": "gpuregion lab",
        "Label": "gpuregion lab",
        "Suite": roots.SUITE,
        "Codename": roots.SUITE,
        "Architectures": ARCHITECTURE,
        "Components": COMPONENT,
    }
    options = [word for name, value in facts.items() for word in ("-o", f"APT::FTPArchive::Release::{name}={value}")]
    release = _ftparchive(home.apt, *options, "release", f"dists/{roots.SUITE}")
    with _keyring(key) as keyring:
        signed = _gpg(keyring, "--clearsign", stdin=release)
        detached = _gpg(keyring, "--armor", "--detach-sign", stdin=release)
    write_atomically(dist / "Release", release)
    write_atomically(dist / "Release.gpg", detached)
    write_atomically(dist / "InRelease", signed)


def _ftparchive(folder: Path, *arguments: str) -> str:
    # It names files as they are given to it: it must run in the folder that is served.
    return shell.run("env", f"--chdir={folder}", "apt-ftparchive", *arguments, env={**os.environ, "LC_ALL": "C"})


@contextmanager
def _keyring(secret: Path | None = None) -> Generator[Path]:
    """A key folder for one purpose, with this key in it; the daemon that gpg starts for it ends with it."""
    with tempfile.TemporaryDirectory(prefix="gpg-") as name:  # short: the daemon's socket lies in it
        keyring = Path(name)
        try:
            if secret is not None:
                _gpg(keyring, "--import", str(secret))
            yield keyring
        finally:
            shell.run("gpgconf", "--homedir", keyring, "--kill", "all", check=False)


def _gpg(keyring: Path, *arguments: str, stdin: str | None = None) -> str:
    options: Sequence[str] = ("--batch", "--quiet", "--no-tty", "--pinentry-mode", "loopback")
    return shell.run("gpg", "--homedir", keyring, *options, *arguments, stdin=stdin)
