"""Builds programs into the cache. Owns the order, the parallelism and what a build reports.

Programs of one module are built one after the other, since they share most of what the compiler does;
modules are built side by side, longest first. A build that was cut short goes on where it stood: what is
whole is kept, and the Go tool's own cache keeps the compiled packages of the rest.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from lab import shell
from lab.errors import LabError
from lab.home import PROJECT, cache
from lab.toolchain.catalogue import Module, Program, catalogue
from lab.toolchain.golang import Go, go
from lab.toolchain.store import locked, place, whole_file


class State(StrEnum):
    """How a program came to be there."""

    BUILT = "built"
    CACHED = "cached"
    INSTALLED = "installed"


@dataclass(frozen=True, kw_only=True)
class Result:
    """One program that is there now."""

    name: str
    version: str
    path: Path
    state: State
    seconds: float


Listener = Callable[[str, Result | None], None]
"""Told when a program's build starts (no result yet) and when the program is there."""


def _quiet(_name: str, _result: Result | None) -> None:
    return


def build(
    programs: Iterable[Program], *, jobs: int | None = None, listener: Listener = _quiet, folder: Path | None = None
) -> list[Result]:
    """Make sure that the cache has all `programs`; raises LabError that names each one that failed."""
    groups: dict[str, list[Program]] = {}
    for program in programs:
        groups.setdefault(program.module.name, []).append(program)
    order = sorted(groups.values(), key=lambda group: -group[0].module.build_s)
    done: list[Result] = []
    failures: list[LabError] = []
    tool, where = go(), folder or cache()
    with ThreadPoolExecutor(jobs or default_jobs()) as pool:
        try:
            tasks = [pool.submit(_build_group, group, tool, where, listener) for group in order]
            for task in tasks:
                group_done, group_failed = task.result()
                done += group_done
                failures += group_failed
        except BaseException:
            shell.stop_all()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    if failures:
        raise LabError(
            f"{len(failures)} of the programs could not be built",
            details=[str(failure) for failure in failures],
            remedy="mend the cause and build again; what is finished is kept",
        )
    return sorted(done, key=lambda result: result.name)


def default_jobs() -> int:
    """Modules to build side by side. The compiler uses all cores, the linker one: two of a kind fill the gaps."""
    return max(1, min(os.cpu_count() or 1, 4))


def ensure(*names: str) -> dict[str, Path]:
    """Paths of these programs, built if the cache lacks them."""
    return {result.name: result.path for result in build(catalogue().select(names))}


def _build_group(
    programs: Sequence[Program], tool: Go, where: Path, listener: Listener
) -> tuple[list[Result], list[LabError]]:
    done: list[Result] = []
    failed: list[LabError] = []
    for program in programs:
        try:
            result = _installed(program) or _build_one(program, tool, where, listener)
        except shell.Interrupted:
            raise
        except LabError as error:
            failed.append(error)
            continue
        done.append(result)
        listener(program.name, result)
    return done, failed


def _build_one(program: Program, tool: Go, where: Path, listener: Listener) -> Result:
    start = time.monotonic()
    target = place(program, tool.platform, where)
    state = State.CACHED
    if not target.exists():
        with locked(where / "locks" / f"program-{target.parent.name}"):
            if not target.exists():  # another process may have built it while we waited
                listener(program.name, None)
                _compile(program, tool, target, where / "logs" / f"{program.name}.log")
                state = State.BUILT
    seconds = time.monotonic() - start
    return Result(name=program.name, version=program.module.version, path=target, state=state, seconds=seconds)


def _compile(program: Program, tool: Go, target: Path, log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("")
    overlay = _write_overlay(program.module, tool, target) if program.module.embed else None
    with whole_file(target, 0o755) as partial:
        try:
            shell.run(*tool.build_command(program, partial, overlay), env=tool.environment, log=log)
        except shell.CommandError as error:
            raise LabError(
                f"{program.name} {program.module.version} could not be built",
                found=error.output.strip()[-800:] or "no output",
                remedy=f"read {log}",
            ) from None


def _write_overlay(module: Module, tool: Go, target: Path) -> Path:
    """Lays files of the upstream module over ours, so that no copy of them stands in this tree."""
    upstream = tool.module_folder(module)
    replace = {str(module.folder / name): str(upstream / path) for name, path in module.embed.items()}
    overlay = target.parent / "overlay.json"
    overlay.parent.mkdir(parents=True, exist_ok=True)
    overlay.write_text(json.dumps({"Replace": replace}))
    return overlay


def _installed(program: Program) -> Result | None:
    """The program on PATH, if it may be used and says that it is of the pinned version."""
    if not program.may_come_from_path:
        return None
    found = shutil.which(program.name, path=path_without_links(os.environ))
    if found is None or reported_version(found, program.version_args) != program.module.version.removeprefix("v"):
        return None
    return Result(name=program.name, version=program.module.version, path=Path(found), state=State.INSTALLED, seconds=0)


def path_without_links(environment: Mapping[str, str]) -> str:
    """PATH less our own folder of links: what this machine has by itself."""
    ours = PROJECT / ".tools" / "bin"
    parts = environment.get("PATH", "").split(os.pathsep)
    return os.pathsep.join(part for part in parts if part and Path(part).absolute() != ours)


def reported_version(executable: str, arguments: Sequence[str]) -> str | None:
    """The version that a program prints; None where it prints none."""
    try:
        done = subprocess.run(
            [executable, *arguments], capture_output=True, text=True, timeout=10, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_version(done.stdout + done.stderr)


def parse_version(text: str) -> str | None:
    """The first version number of three parts in `text`."""
    found = re.search(r"(?<![\d.])v?(\d+\.\d+\.\d+)(?![\d.])", text)
    return found[1] if found else None


def missing(programs: Iterable[Program]) -> list[str]:
    """Names of the programs that a build would still have to make; builds nothing."""
    return [p.name for p in programs if not place(p, go().platform, cache()).exists() and _installed(p) is None]
