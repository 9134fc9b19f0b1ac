"""What the lab could leave on a machine, as sets that can be compared before and after."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path


def _lines(*command: str) -> set[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return {line.strip() for line in done.stdout.splitlines() if line.strip()}


def _processes() -> set[str]:
    """Programs that only a lab runs, by name and command line."""
    ours = (
        "systemd-nspawn",
        "ironic",
        "lab.",
        "versitygw",
        "coredns",
        "registry",
        "chronyd",
        "bgpd",
        "zebra",
        "kubelet",
        "containerd",
    )
    found: set[str] = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue
        program = command.split(" ")[0].rpartition("/")[2]
        if program.startswith(ours[:1] + ours[3:]) or "python -m lab" in command or "/bin/ironic" in command:
            found.add(command[:120])
    return found


def snapshot() -> dict[str, set[str]]:
    """State of the machine by kind: links, namespaces, addresses, routes, mounts, loops, cgroups, processes."""
    links = json.loads(subprocess.run(["ip", "-j", "link"], capture_output=True, text=True, check=True).stdout)
    return {
        "links": {link["ifname"] for link in links},
        "namespaces": _lines("ip", "netns", "list"),
        "addresses": {
            a["local"]
            for link in json.loads(
                subprocess.run(["ip", "-j", "addr"], capture_output=True, text=True, check=True).stdout
            )
            for a in link["addr_info"]
            if a["family"] == "inet"
        },
        "routes": _lines("ip", "route", "show", "table", "all", "type", "unicast"),
        "mounts": {line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()},
        "loops": _lines("losetup", "-n", "-O", "NAME,BACK-FILE"),
        "cgroups": {str(p) for p in Path("/sys/fs/cgroup").glob("*/*") if p.is_dir()}
        | {str(p) for p in Path("/sys/fs/cgroup").glob("lab*")},
        "processes": _processes(),
    }


OF_THE_MACHINE = frozenset({"links", "addresses", "routes"})
"""Kinds of which nothing may be missing afterwards either; the others come and go with other programs."""


def difference(before: dict[str, set[str]], after: dict[str, set[str]]) -> dict[str, list[str]]:
    """What is there after that was not there before, and what of the machine's own is gone; empty if all is well."""
    result: dict[str, list[str]] = {}
    for kind, was in before.items():
        changed = sorted(f"+{x}" for x in after[kind] - was)
        if kind in OF_THE_MACHINE:
            changed += sorted(f"-{x}" for x in was - after[kind])
        if changed:
            result[kind] = changed
    return result
