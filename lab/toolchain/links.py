"""Links in `.tools/bin`. Owns what a person of this checkout finds on PATH.

A program is a symbolic link into the cache. Two exceptions: pulumi is the file itself (a hard link, or a
copy across file systems), because the engine resolves links and then looks for its language hosts beside
the file that runs; and the language host for Python is a script of a few lines that starts ours with this
checkout's interpreter. Ours is absent where the machine has the official one.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
from collections.abc import Iterable
from pathlib import Path

from lab.home import PROJECT, cache
from lab.toolchain.build import Result, path_without_links
from lab.toolchain.catalogue import Catalogue, ModuleFile
from lab.toolchain.golang import go
from lab.toolchain.store import place, whole_file

BIN = PROJECT / ".tools" / "bin"
LANGUAGE_HOST = "pulumi-language-python"
LANGUAGE_EXECUTOR = "pulumi-language-python-exec"


def link(results: Iterable[Result], listing: Catalogue, folder: Path = BIN) -> None:
    """Link the programs that people and the lab call; others are left in the cache."""
    folder.mkdir(parents=True, exist_ok=True)
    for result in results:
        program = listing.programs[result.name]
        if not program.is_linked:
            continue
        if program.hard_link:
            _place_file(result.path, folder / result.name)
        else:
            _place_link(result.path, folder / result.name)
    _drop_stale(listing, folder)


def link_language_host(listing: Catalogue, folder: Path = BIN, interpreter: Path | None = None) -> bool:
    """Put our language host there, if the official one is absent; returns whether it is ours."""
    if shutil.which(LANGUAGE_HOST, path=path_without_links(os.environ)):
        for name in (LANGUAGE_HOST, LANGUAGE_EXECUTOR):
            (folder / name).unlink(missing_ok=True)
        return False
    file = listing.files[LANGUAGE_EXECUTOR]
    executor = fetch_file(file)
    _place_link(executor, folder / LANGUAGE_EXECUTOR)
    python = interpreter or PROJECT / ".venv" / "bin" / "python"
    script = (
        "#!/bin/sh\n"
        f"export PULUMI_LANGUAGE_PYTHON_EXEC={shlex.quote(str(executor))}\n"
        f"export PULUMI_LANGUAGE_PYTHON_VERSION={file.module.version.removeprefix('v')}\n"
        # -P: a folder called `lab` beside the program must not hide ours.
        f'exec {shlex.quote(str(python))} -P -m lab.toolchain.language_host "$@"\n'
    )
    target = folder / LANGUAGE_HOST
    if not target.is_file() or target.read_text() != script:
        with whole_file(target, 0o755) as partial:
            partial.write_text(script)
    return True


def fetch_file(file: ModuleFile) -> Path:
    """A file out of an upstream module, copied into the cache."""
    tool = go()
    target = place(file, tool.platform, cache())
    if not target.exists():
        source = tool.module_folder(file.module, file.source) / file.path
        with whole_file(target, 0o755) as partial:
            shutil.copyfile(source, partial)
    return target


def _place_link(source: Path, target: Path) -> None:
    if target.is_symlink() and target.readlink() == source:
        return
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    draft.symlink_to(source)
    draft.replace(target)


def _place_file(source: Path, target: Path) -> None:
    if target.exists() and not target.is_symlink():
        here, there = target.stat(), source.stat()
        if os.path.samestat(here, there) or (here.st_size, int(here.st_mtime)) == (there.st_size, int(there.st_mtime)):
            return
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    try:
        draft.hardlink_to(source.resolve())
    except OSError:
        shutil.copy2(source, draft)
    draft.replace(target)


def _drop_stale(listing: Catalogue, folder: Path) -> None:
    """Remove links that no program of the catalogue stands behind any more."""
    keep = {name for name, program in listing.programs.items() if program.is_linked} | {LANGUAGE_EXECUTOR}
    for entry in folder.iterdir():
        # a name with a dot in front is a draft of a link that another thread is making
        if entry.is_symlink() and entry.name not in keep and not entry.name.startswith("."):
            with contextlib.suppress(FileNotFoundError):
                entry.unlink()
