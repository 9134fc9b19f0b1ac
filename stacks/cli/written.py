"""Files that a command writes where it is told to: refused before the work, and written whole or not at all."""

from __future__ import annotations

from pathlib import Path

from components.clients.whole_file import write_whole
from components.errors import Problem, SpecError

NEW = 0o666
"""Mode of a file that was not there, less the umask."""


def refuse_unwritable(path: Path | None, option: str) -> None:
    """Raise SpecError if the file that `option` names has no place. None is no file, and is well."""
    if path is None:
        return
    if path.is_dir():
        message, remedy = "it is a folder", "name a file in it"
    elif not path.parent.is_dir():
        message, remedy = "the folder of the file does not exist", "make the folder first"
    else:
        return
    problem = Problem(path=option, message=message, found=str(path), allowed="a file in a folder", remedy=remedy)
    raise SpecError("there is no place for the file", [problem])


def write(path: Path, text: str) -> None:
    """Write or replace the file, in UTF-8; whoever reads it meanwhile reads the one before. Raises OSError."""
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")  # nothing can stand in for a pipe or a terminal
        return
    mode = path.stat().st_mode & 0o777 if path.exists() else NEW
    write_whole(path.resolve(), text.encode(), mode)
