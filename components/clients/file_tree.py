"""A folder of files that is written whole or not at all.

Owns the folder: it is swapped for a complete new one, so files that are no longer made do not stay. A folder
that something else filled is left alone.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from components.errors import Problem, SpecError

MARK = ".region-export"
"""A file that says that the folder was written here, and by what."""


def write_tree(folder: Path, files: Iterable[tuple[str, str]], *, made_by: str) -> int:
    """Write all files below the folder, or change nothing; returns how many there are."""
    _refuse_a_strangers(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        count = 0
        for path, text in files:
            target = fresh / _inside(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            count += 1
        (fresh / MARK).write_text(f"{made_by}\n", encoding="utf-8")
        fresh.chmod(0o755)
        _swap(fresh, folder)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    return count


def _swap(fresh: Path, folder: Path) -> None:
    """Two renames: between them the folder is missing for an instant, and never half of it there."""
    if not folder.exists():
        fresh.rename(folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.old.", dir=folder.parent))
    folder.rename(old / folder.name)
    try:
        fresh.rename(folder)
    except OSError:
        (old / folder.name).rename(folder)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _inside(path: str) -> PurePosixPath:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts:
        raise ValueError(f"{path} is no path inside a folder")
    return pure


def _refuse_a_strangers(folder: Path) -> None:
    if not folder.exists() or (folder.is_dir() and ((folder / MARK).is_file() or not any(folder.iterdir()))):
        return
    raise SpecError(
        "nothing was written",
        [
            Problem(
                path=str(folder),
                message="the folder holds files that no export wrote, and an export replaces a folder whole",
                allowed=f"a folder that is absent, empty, or was written by an export ({MARK} is in it)",
                remedy="name another folder with --out",
            )
        ],
    )
