"""Thin hands on `ip`: name spaces and interfaces. Knows nothing of a lab."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lab import shell

NAMESPACES = Path("/run/netns")


def namespace_exists(name: str) -> bool:
    """Whether the name space is there and usable; a file without a name space behind it is not."""
    return (NAMESPACES / name).exists() and shell.succeeds("ip", "-n", name, "link", "show", "lo")


def add_namespace(name: str) -> bool:
    """Make a name space with its loopback up; whether it had to be made."""
    if namespace_exists(name):
        return False
    if (NAMESPACES / name).exists():
        # Somebody was killed between making the file and mounting the name space on it.
        shell.run("ip", "netns", "del", name)
    shell.run("ip", "netns", "add", name)
    batch(["link set lo up"], namespace=name)
    return True


def delete_namespace(name: str) -> None:
    """End every process in a name space and remove it with its interfaces."""
    if not (NAMESPACES / name).exists():
        return
    end = time.monotonic() + 5
    while (pids := namespace_members(name)) and time.monotonic() < end:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    shell.run("ip", "netns", "del", name, check=False)


def namespace_members(name: str) -> set[int]:
    """Processes that live in a name space."""
    try:
        wanted = (NAMESPACES / name).stat()
    except FileNotFoundError:
        return set()
    found: set[int] = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            here = (process / "ns/net").stat()
            if (here.st_dev, here.st_ino) == (wanted.st_dev, wanted.st_ino):
                found.add(int(process.name))
    # A name without a name space mounted on it is a plain file and matches nothing.
    return found - {os.getpid()}


def interfaces(namespace: str | None = None) -> dict[str, dict[str, Any]]:
    """Interfaces by name, as `ip -json` tells them."""
    at = ("-n", namespace) if namespace else ()
    return {link["ifname"]: link for link in json.loads(shell.run("ip", *at, "-j", "link", "show") or "[]")}


def batch(lines: Iterable[str], namespace: str | None = None, *, tolerant: bool = False) -> None:
    """Several `ip` commands in one process; with `tolerant`, go on after one that fails."""
    text = "\n".join(lines)
    if text:
        at = ("-n", namespace) if namespace else ()
        force = ("-force",) if tolerant else ()
        shell.run("ip", *at, *force, "-batch", "-", stdin=text + "\n", check=not tolerant)


def sysctl(namespace: str, settings: Mapping[str, str]) -> None:
    """Network settings of a name space; the host's stay as they are."""
    pairs = [f"{key}={value}" for key, value in settings.items()]
    shell.run("ip", "netns", "exec", namespace, "sysctl", "-qw", *pairs)


def interface_setting(interface: str, family: str, key: str, value: str) -> None:
    """A setting of one of our own interfaces in the root name space; it dies with the interface."""
    setting = Path(f"/proc/sys/net/{family}/conf/{interface}/{key}")
    if setting.exists():
        setting.write_text(value)
