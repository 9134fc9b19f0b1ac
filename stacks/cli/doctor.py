"""Examines the machine that runs the project. Read-only."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from components.checks.result import CheckResult, Status
from stacks.cli.environment import search_path
from stacks.project import ROOT

MEMORY_GIB = 6
"""The lab's hosts, switches and services together stay below this."""
DISK_GIB = 25
"""Build caches of the pinned programs, images and the machines' disks."""
INSTALL = "run `make install`"
PACKAGES = ROOT / "lab" / "toolchain" / "debian-packages.txt"
PROGRAMS = ROOT / "lab" / "toolchain" / "programs.yaml"
"""The lists that machines are made ready from, so that doctor looks for what is installed and built."""
LANGUAGE_HOST = "pulumi-language-python"
"""Comes with the language, not from the list: the toolchain links it beside the others."""


def _check(name: str, is_good: bool, expected: str, found: str, remedy: str, bad: Status = Status.FAIL) -> CheckResult:
    return CheckResult(
        name=f"doctor.{name}",
        status=Status.OK if is_good else bad,
        expected=expected,
        found=found,
        remedy=None if is_good else remedy,
    )


def _memory_gib() -> float:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) / (1 << 20)
    return 0.0


def _filesystem(path: Path) -> str:
    """Type of the file system that holds `path`."""
    found = subprocess.run(
        ["findmnt", "-n", "-o", "FSTYPE", "-T", str(path)], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or "unknown"


def _machine() -> list[CheckResult]:
    free = shutil.disk_usage(ROOT).free / (1 << 30)
    kind = _filesystem(ROOT)
    return [
        _check(
            "root",
            os.geteuid() == 0,
            "root: the lab makes network namespaces, mounts and machines",
            f"uid {os.geteuid()}",
            "run as root, or use a real region",
        ),
        _check("kernel", platform.system() == "Linux", "Linux", platform.platform(), "use a Linux machine"),
        _check(
            "python",
            sys.version_info[:2] == (3, 11),
            "Python 3.11",
            platform.python_version(),
            "install python3.11 and python3-venv",
        ),
        _check(
            "memory",
            _memory_gib() >= MEMORY_GIB,
            f"at least {MEMORY_GIB} GiB available",
            f"{_memory_gib():.1f} GiB",
            "stop other programs or use a larger machine",
        ),
        _check(
            "disk",
            free >= DISK_GIB,
            f"at least {DISK_GIB} GiB free",
            f"{free:.0f} GiB",
            "free space, or set LAB_HOME and GPUREGION_CACHE to another disk",
            Status.WARN,
        ),
        _check(
            "filesystem",
            kind in ("ext4", "xfs", "btrfs"),
            "ext4, xfs or btrfs below the project (containers need overlays on it)",
            kind,
            "set LAB_HOME to a folder on such a disk",
        ),
        *(
            _check(
                f"device.{Path(d).name}",
                Path(d).exists(),
                d,
                "there" if Path(d).exists() else "missing",
                f"load the kernel module that makes {d}",
            )
            for d in ("/dev/loop-control", "/dev/fuse", "/dev/net/tun")
        ),
    ]


def debian_programs() -> list[str]:
    """Programs of the Debian packages that the lab runs."""
    lines = (line.partition("#")[0].split() for line in PACKAGES.read_text().splitlines())
    return [words[1] for words in lines if len(words) > 1]


def built_programs() -> list[str]:
    """What the toolchain makes for an operator or the lab; its other programs are only packed into images."""
    modules: dict[str, Any] = YAML(typ="safe").load(PROGRAMS)["modules"]
    programs = {name: entry for module in modules.values() for name, entry in module["programs"].items()}
    return [LANGUAGE_HOST, *(n for n, entry in programs.items() if {"operator", "lab"} & set(entry["used_by"]))]


def _programs() -> list[CheckResult]:
    path = search_path() + ":/usr/sbin:/sbin"
    wanted = [*((p, INSTALL) for p in debian_programs()), *((p, "run `make tools`") for p in built_programs())]
    results: list[CheckResult] = []
    for program, remedy in wanted:
        found = shutil.which(program, path=path)
        results.append(
            _check(f"program.{program}", bool(found), f"{program} on PATH", "found" if found else "not found", remedy)
        )
    return results


def examine() -> list[CheckResult]:
    """All checks of the machine, then of the programs."""
    return [*_machine(), *_programs()]
