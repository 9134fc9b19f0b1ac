"""Reads programs.yaml. Owns the shape of the catalogue; building from it is build.py's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from ruamel.yaml import YAML

from lab.errors import LabError

FILE = Path(__file__).with_name("programs.yaml")
_LAB = Path(__file__).resolve().parent.parent


class Use(StrEnum):
    """Who needs a program."""

    OPERATOR = "operator"
    LAB = "lab"
    IMAGE = "image"
    PACKAGE = "package"


_ON_PATH = frozenset({Use.OPERATOR, Use.LAB})


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class _ProgramEntry(_Entry):
    package: str
    used_by: frozenset[Use]
    version_args: tuple[str, ...] = ()
    hard_link: bool = False


class _ModuleEntry(_Entry):
    module: str | None = None
    folder: str | None = None
    version: Annotated[str, Field(pattern=r"^v\d+\.\d+\.\d+")]
    build_s: int
    ldflags: tuple[str, ...] = ()
    embed: Mapping[str, str] = {}
    programs: Mapping[str, _ProgramEntry]


class _FileEntry(_Entry):
    of: str
    module: str
    path: str
    used_by: frozenset[Use]


class _File(_Entry):
    modules: Mapping[str, _ModuleEntry]
    files: Mapping[str, _FileEntry] = {}


@dataclass(frozen=True, kw_only=True)
class Module:
    """One Go module of ours that pins the sources of some programs."""

    name: str
    folder: Path
    """Where go.mod, go.sum and the Go files stand."""
    source: str | None
    """Import path of the upstream module; None where the program's own source stands in `folder`."""
    version: str
    build_s: int
    """Seconds of a cold build on two cores; only the order of builds depends on it."""
    ldflags: tuple[str, ...]
    embed: Mapping[str, str]
    """Files to lay over the folder at build time: name there -> path inside the upstream module."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """One executable."""

    name: str
    module: Module
    package: str
    used_by: frozenset[Use]
    version_args: tuple[str, ...]
    """Arguments that make the program print its version; empty where it cannot be asked."""
    hard_link: bool
    """Whether `.tools/bin` gets the file itself rather than a symbolic link to it."""

    @property
    def may_come_from_path(self) -> bool:
        """A program for people only may be one that is already installed; what is shipped is built here."""
        return bool(self.version_args) and self.used_by <= _ON_PATH

    @property
    def is_linked(self) -> bool:
        return bool(self.used_by & _ON_PATH)


@dataclass(frozen=True, kw_only=True)
class ModuleFile:
    """A file that ships inside an upstream module and is linked beside the programs."""

    name: str
    module: Module
    source: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """All programs, by name."""

    programs: Mapping[str, Program]
    files: Mapping[str, ModuleFile]
    modules: Mapping[str, Module]

    def select(self, names: Iterable[str] = (), uses: Iterable[Use] = ()) -> list[Program]:
        """The programs of these names, or of these uses, or all; in the order of the catalogue."""
        wanted, purposes = set(names), frozenset(uses)
        if unknown := sorted(wanted - self.programs.keys()):
            raise LabError(
                f"no program is called {', '.join(unknown)}",
                remedy=f"choose from: {', '.join(self.programs)}",
            )
        return [
            program
            for name, program in self.programs.items()
            if (not wanted or name in wanted) and (not purposes or program.used_by & purposes)
        ]


def read(path: Path) -> Catalogue:
    """The catalogue in `path`; every fault of the file is named at once."""
    try:
        data = TypeAdapter(_File).validate_python(YAML(typ="safe").load(path))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise LabError(f"{path.name}: {faults}") from None
    modules: dict[str, Module] = {}
    programs: dict[str, Program] = {}
    for name, entry in data.modules.items():
        folder = _LAB / entry.folder if entry.folder else path.parent / "modules" / name
        modules[name] = module = Module(
            name=name,
            folder=folder,
            source=entry.module,
            version=entry.version,
            build_s=entry.build_s,
            ldflags=entry.ldflags,
            embed=entry.embed,
        )
        for program, item in entry.programs.items():
            if program in programs:
                raise LabError(f"{path.name}: two modules have a program called {program}")
            programs[program] = Program(
                name=program,
                module=module,
                package=item.package,
                used_by=item.used_by,
                version_args=item.version_args,
                hard_link=item.hard_link,
            )
    files = {
        name: ModuleFile(name=name, module=modules[f.of], source=f.module, path=f.path)
        for name, f in data.files.items()
    }
    return Catalogue(programs=programs, files=files, modules=modules)


@cache
def catalogue() -> Catalogue:
    """The catalogue of this project."""
    return read(FILE)
