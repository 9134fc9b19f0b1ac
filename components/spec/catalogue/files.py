"""Reads the files of a catalogue, or says everything that is wrong with them at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from components.errors import Problem, SpecError
from components.spec.base import Model
from components.spec.catalogue.catalogue import Catalogue
from components.spec.catalogue.checks import CHECKS
from components.spec.position import Location, Position, Positions, text_of
from components.spec.problems import problems_of
from components.spec.source import read
from components.words import count

FOLDERS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "racks": ("racks", "profile"),
        "switches": ("switches", "switch"),
        "power": ("power_units", "power_unit"),
        "firmware": ("baselines", "baseline"),
        "software": ("software", "software"),
        "bring_up": ("bring_ups", "bring_up"),
        "models": ("models", "model"),
        "prices": ("prices", "price"),
    }
)
"""Sub-folder -> field of the catalogue, and the key that holds an item's name."""

_SOURCES = "sources.yaml"
_LATENCY = "latency.yaml"


@dataclass
class CatalogueFiles:
    """What the files say, not yet validated."""

    data: dict[str, Any] = field(default_factory=dict[str, Any])
    """Raw content by field of `Catalogue`."""
    places: dict[Location, Position] = field(default_factory=dict[Location, Position])
    """Locations begin with `catalogue`."""
    problems: list[Problem] = field(default_factory=list[Problem])
    is_incomplete: bool = False
    """Whether a file could not be read at all, or no rack profile is there."""


def read_catalogue(folder: Path, *, root: Path) -> CatalogueFiles:
    """Read all files under `folder`; problems name them relative to `root`."""
    files = CatalogueFiles()
    for sub, (kind, key) in FOLDERS.items():
        items: list[Any] = []
        for path in sorted((folder / sub).glob("*.yaml")):
            at: Location = ("catalogue", kind, len(items))
            items.append(_item(files, path, at, key, _shown(path, root)))
        files.data[kind] = items
    for name, kind in ((_SOURCES, "sources"), (_LATENCY, "latencies")):
        path = folder / name
        if path.is_file():
            content = _document(files, path, ("catalogue", kind) if kind == "sources" else ("catalogue",), root)
            files.data[kind] = content if kind == "sources" else content.pop("latencies", [])
            if kind == "latencies":
                files.data["sites"] = content.pop("sites", {})
                files.problems += (_stray_key(key, files, _shown(path, root)) for key in content)
    files.problems += (_stray(path, _shown(path, root)) for path in _strays(folder))
    if not files.data["racks"]:
        files.is_incomplete = True
        files.problems.append(
            Problem(
                path=_shown(folder / "racks", root),
                message="the catalogue holds no rack profile",
                allowed="a folder with files named *.yaml",
                remedy="name the folder that has `racks`, or write a profile",
                rule="folder-empty",
            )
        )
    return files


def load_catalogue(folder: Path, *, root: Path) -> Catalogue:
    """Read and check a catalogue alone. Raises SpecError with every problem."""
    files = read_catalogue(folder, root=root)
    positions = Positions(MappingProxyType(files.places))
    problems = files.problems
    catalogue: Catalogue | None = None
    try:
        catalogue = _Whole.model_validate_json(json.dumps({"catalogue": files.data}), strict=True).catalogue
    except ValidationError as error:
        said = {problem.path for problem in problems}
        problems += (p for p in problems_of(error, _Whole, positions) if p.path not in said)
    else:
        for check in CHECKS:
            problems += (
                positions.problem(
                    fault.at, check.id, fault.message, found=fault.found, allowed=fault.allowed, remedy=fault.remedy
                )
                for fault in check.find(catalogue)
            )
    if problems or catalogue is None:
        ordered = sorted(problems, key=lambda p: (p.file or "", p.line or 0, p.path, p.rule or ""))
        raise SpecError(f"{_shown(folder, root)}: {count(len(ordered), 'problem')}; nothing has been touched", ordered)
    return catalogue


class _Whole(Model):
    """As in a region: locations of problems begin with `catalogue`."""

    catalogue: Catalogue


def _item(files: CatalogueFiles, path: Path, at: Location, key: str, shown: str) -> dict[str, Any]:
    document = read(path, shown_as=shown, prefix=at)
    files.problems += document.problems
    files.places.update(document.places)
    files.places[at] = Position(shown, 1)
    name = document.data.get(key)
    if isinstance(name, str) and name != path.stem:
        files.problems.append(
            Problem(
                path=text_of((*at, key)),
                message="an item of the catalogue and its file have different names",
                found=name,
                allowed=path.stem,
                remedy="rename one of them",
                file=shown,
                line=files.places[(*at, key)].line,
                rule="catalogue-file-name",
            )
        )
    return document.data


def _document(files: CatalogueFiles, path: Path, prefix: Location, root: Path) -> dict[str, Any]:
    shown = _shown(path, root)
    document = read(path, shown_as=shown, prefix=prefix)
    files.problems += document.problems
    files.places.update(document.places)
    files.is_incomplete |= bool(document.problems) and not document.data
    return document.data


def _strays(folder: Path) -> list[Path]:
    known = {_SOURCES, _LATENCY, *FOLDERS}
    return sorted(p for p in folder.iterdir() if p.name not in known) if folder.is_dir() else []


def _stray(path: Path, shown: str) -> Problem:
    return Problem(
        path=shown,
        message="this is no part of a catalogue, and nothing would read it",
        allowed=", ".join([*(f"{sub}/" for sub in FOLDERS), _SOURCES, _LATENCY]),
        remedy="move it into the folder of its kind" if path.is_file() else "rename the folder, or remove it",
        file=shown,
        line=1,
        rule="catalogue-stray",
    )


def _stray_key(key: str, files: CatalogueFiles, shown: str) -> Problem:
    place = files.places[("catalogue", key)]
    return Problem(
        path=f"catalogue.{key}",
        message="nothing has this key",
        allowed="sites, latencies",
        remedy="remove it",
        file=shown,
        line=place.line,
        rule="key-unknown",
    )


def _shown(path: Path, root: Path) -> str:
    """The path as an operator types it from the project's root."""
    path, root = path.resolve(), root.resolve()
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
