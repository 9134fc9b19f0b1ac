"""One sshd that answers as hundreds of hosts, in a network of its own.

Owns the name spaces (network with a loopback device alone, mounts), the program, its keys and its life. All of
127.0.0.0/8 is this machine, so one daemon on one port is as many hosts as a benchmark asks for, and nobody outside
can reach it. What a host runs is run here, in these name spaces.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
ALONE = "GPUREGION_BENCH_ALONE"
"""Set in the name spaces."""
_PACKAGES = ("openssh-server", "openssh-sftp-server", "libwrap0")
_CONFIG = """
ListenAddress 0.0.0.0
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/key.pub
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PidFile none
StrictModes no
PermitRootLogin prohibit-password
MaxStartups 1000
MaxSessions 1000
UseDNS no
LogLevel ERROR
Subsystem sftp {sftp}
"""


def program() -> Path:
    """sshd of this machine, or of Debian's package, unpacked and not installed: nothing is started by itself."""
    if found := shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin"):
        return Path(found)
    folder = ROOT / ".tools" / "sshd"
    sshd = folder / "usr/sbin/sshd"
    if not sshd.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        for package in _PACKAGES:
            subprocess.run(["apt-get", "-q", "download", package], cwd=folder, check=True, capture_output=True)
        for package in folder.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
    return sshd


def alone(module: str) -> None:
    """Go on in name spaces of our own, unless we are there already. Needs root."""
    if ALONE in os.environ:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    command = ["unshare", "--net", "--mount", "--fork", "--kill-child", sys.executable, "-m", module, *sys.argv[1:]]
    os.execvpe(command[0], command, {**os.environ, ALONE: "1"})  # noqa: S606 - takes the place of this process


@contextmanager
def hosts(folder: Path, cores: Sequence[int]) -> Generator[tuple[Path, str]]:
    """While it serves: the private key that opens it, and its line of known hosts."""
    sshd = program()
    for name in ("host_key", "key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    sftp = next(
        (path for path in sshd.parents[1].glob("lib/openssh/sftp-server")), Path("/usr/lib/openssh/sftp-server")
    )
    (folder / "sshd_config").write_text(_CONFIG.format(folder=folder, sftp=sftp))
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)  # of our mount name space
    Path("/run/sshd").mkdir()
    users = Path("/etc/passwd").read_text()
    if "\nsshd:" not in users:
        (folder / "passwd").write_text(f"{users}sshd:x:64999:65534::/run/sshd:/usr/sbin/nologin\n")
        subprocess.run(["mount", "--bind", folder / "passwd", "/etc/passwd"], check=True)
    libraries = ":".join(str(path.parent) for path in sshd.parents[2].glob("usr/lib/*/libwrap.so.0"))
    command = ["taskset", "-c", ",".join(map(str, cores)), sshd, "-D", "-e", "-f", folder / "sshd_config"]
    with subprocess.Popen(command, env={**os.environ, "LD_LIBRARY_PATH": libraries}) as process:
        try:
            known = " ".join((folder / "host_key.pub").read_text().split()[:2])
            yield folder / "key", f"127.* {known}\n"
        finally:
            process.terminate()
