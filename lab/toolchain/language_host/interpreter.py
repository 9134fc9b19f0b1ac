"""Which Python runs a program: the one of the program's virtual environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto import language_pb2


@dataclass(frozen=True, kw_only=True)
class Location:
    """Where a program stands and what Pulumi.yaml says of it."""

    root: Path
    """The folder of Pulumi.yaml."""
    directory: Path
    """The folder of the program."""
    entry_point: str
    options: Mapping[str, Any]
    """`runtime.options` of Pulumi.yaml."""

    @classmethod
    def of(cls, info: language_pb2.ProgramInfo) -> Location:
        """The location that the engine names."""
        return cls(
            root=Path(info.root_directory),
            directory=Path(info.program_directory or info.root_directory),
            entry_point=info.entry_point or ".",
            options=MessageToDict(info.options),
        )

    @property
    def program(self) -> Path:
        """What to run: a file, or a folder with __main__.py."""
        return self.directory if self.entry_point == "." else self.directory / self.entry_point


def interpreter(location: Location, environment: Mapping[str, str]) -> Path:
    """The interpreter of the environment that Pulumi.yaml names, else of the nearest `.venv`, else ours."""
    for folder in _environments(location, environment):
        python = folder / "bin" / "python"
        if python.exists():
            return python
    return Path(sys.executable)


def _environments(location: Location, environment: Mapping[str, str]) -> Iterator[Path]:
    if named := location.options.get("virtualenv"):
        yield location.root / str(named)
    for folder in (location.directory, location.root):
        yield folder / ".venv"
    if active := environment.get("VIRTUAL_ENV"):
        yield Path(active)


def program_environment(python: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a program that `python` runs: what its virtual environment installed is on PATH."""
    result = dict(environment)
    result.pop("PYTHONHOME", None)
    if (python.parent.parent / "pyvenv.cfg").exists():
        result["VIRTUAL_ENV"] = str(python.parent.parent)
        result["PATH"] = os.pathsep.join([str(python.parent), environment.get("PATH", os.defpath)])
    return result
