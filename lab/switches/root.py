"""The root tree that all switches share: Debian with FRR, sshd and what a commit on the switch needs.

Time and web server programs are in it too, as in a real network operating system; the lab runs
its own services from there, so that installing them cannot disturb the host's clock or web server.
"""

from __future__ import annotations

from pathlib import Path

from lab.roots import RootSpec

PACKAGES = (
    *("systemd", "systemd-sysv", "dbus", "openssh-server", "procps", "iproute2", "iputils-ping", "netbase"),
    *("nftables", "tcpdump", "less", "frr", "frr-pythontools", "python3-minimal", "chrony", "nginx-light"),
)

_DAEMONS = ("bgpd", "bfdd")

_MASKED = (
    *("console-getty.service", "systemd-networkd.service", "systemd-resolved.service", "systemd-pstore.service"),
    *("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer"),
    *("e2scrub_reap.service", "chrony.service", "nginx.service", "cron.service"),
)

_SSHD = """\
# Only the operator's key opens a switch.
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
HostKey /etc/ssh/ssh_host_ed25519_key
UseDNS no
"""

SYSCTLS = {
    "net.ipv4.ip_forward": "1",
    "net.ipv6.conf.all.forwarding": "1",
    "net.ipv4.fib_multipath_hash_policy": "1",
    "net.ipv4.conf.all.ignore_routes_with_linkdown": "1",
    "net.ipv4.conf.default.ignore_routes_with_linkdown": "1",
    "net.ipv4.conf.all.rp_filter": "0",
    "net.ipv4.conf.default.rp_filter": "0",
}
"""Network settings of a switch: forwarding, and ECMP over ports that forgets dead next hops."""


def _finish(root: Path) -> None:
    """Turn a plain Debian into a switch as it leaves the factory: daemons on, no configuration, no keys."""
    daemons = root / "etc/frr/daemons"
    text = daemons.read_text()
    for daemon in _DAEMONS:
        text = text.replace(f"{daemon}=no", f"{daemon}=yes")
    daemons.write_text(text)
    (root / "etc/frr/frr.conf").unlink(missing_ok=True)
    (root / "etc/frr/vtysh.conf").write_text("service integrated-vtysh-config\n")
    (root / "etc/ssh/sshd_config.d/switch.conf").write_text(_SSHD)
    (root / "etc/sysctl.d/90-switch.conf").write_text("".join(f"{k} = {v}\n" for k, v in SYSCTLS.items()))
    # Each switch makes its own keys and has its own identity.
    for private in root.glob("etc/ssh/ssh_host_*"):
        private.unlink()
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    (root / "etc/machine-id").write_text("")
    (root / "root/.ssh").mkdir(mode=0o700, exist_ok=True)
    for unit in _MASKED:
        link = root / "etc/systemd/system" / unit
        link.unlink(missing_ok=True)
        link.symlink_to("/dev/null")


SPEC = RootSpec(name="switch", packages=PACKAGES, finish=_finish, revision=2)
