"""Loads the description of a region, or says everything that is wrong with it at once."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from components.errors import Problem, SpecError
from components.spec.draft import Draft, salvage
from components.spec.position import Location, Position, Positions
from components.spec.problems import problems_of
from components.spec.region import Region
from components.spec.rules import RULES
from components.spec.rules.rule import run
from components.spec.source import read


def load(region_dir: Path, catalogue_dir: Path, *, project: Path | None = None) -> Region:
    """Read and check a region: its folder of YAML files and the catalogue of rack profiles.

    Problems name files relative to `project`, by default the folder three above the region's, as in
    `stacks/regions/<region>`. Raises SpecError with every problem; nothing is half accepted.
    """
    above = region_dir.resolve().parents
    root = (project or above[min(2, len(above) - 1)]).resolve()
    reader = _Reader(root)
    reader.read_region(region_dir)
    reader.read_catalogue(catalogue_dir)
    positions = Positions(MappingProxyType(reader.places))
    problems = reader.problems
    region: Region | None = None
    try:
        region = Region.model_validate_json(json.dumps(reader.data), strict=True).at(positions)
        draft = Draft(region, frozenset(Region.model_fields))
    except ValidationError as error:
        problems += _unexplained(problems_of(error, Region, positions), reader)
        draft = salvage(reader.data, error)
    problems += run(RULES, draft, positions)
    if problems or region is None:
        ordered = sorted(problems, key=lambda p: (p.file or "", p.line or 0, p.path, p.rule or ""))
        count = f"{len(ordered)} problem{'s' if len(ordered) != 1 else ''}"
        raise SpecError(f"{_shown(region_dir, root)}: {count}; nothing has been touched", ordered)
    return region


def _unexplained(problems: Iterable[Problem], reader: _Reader) -> list[Problem]:
    """Without what only follows from a fault of a file: its keys are missing, its bad value is none."""
    said = {problem.path for problem in reader.problems}
    return [p for p in problems if p.path not in said and not (reader.is_incomplete and p.path in Region.model_fields)]


def _shown(path: Path, root: Path) -> str:
    """The path as an operator types it from the project's root."""
    path = path.resolve()
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


class _Reader:
    """Collects the content of all files, and what is wrong with them as files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.data: dict[str, Any] = {}
        self.places: dict[Location, Position] = {}
        self.problems: list[Problem] = []
        self.is_incomplete = False
        """Whether a file could not be read at all, or is not there."""

    def read_region(self, folder: Path) -> None:
        for path in self._files(folder):
            shown = _shown(path, self.root)
            document = read(path, shown_as=shown)
            self.problems += document.problems
            self.is_incomplete |= bool(document.problems) and not document.data
            for key in document.data.keys() & self.data.keys():
                first, again = self.places[(key,)], document.places.pop((key,))
                self.problems.append(
                    Problem(
                        path=key,
                        message="the same key stands in two files of the region",
                        found=f"{first.file}:{first.line} and {again.file}:{again.line}",
                        allowed="each top-level key in one file",
                        remedy="keep it in one of them",
                        file=again.file,
                        line=again.line,
                        rule="key-in-two-files",
                    )
                )
            # The first file wins, so that the positions and the values stay of one file.
            fresh = document.data.keys() - self.data.keys()
            self.data.update({key: document.data[key] for key in document.data if key in fresh})
            self.places.update({k: v for k, v in document.places.items() if k[0] in fresh})
        self._check_folder_name(folder)

    def read_catalogue(self, folder: Path) -> None:
        if "profiles" in self.data:
            # Rejected below as unknown would be unfair: the model has it, but from the catalogue only.
            place = self.places[("profiles",)]
            self.problems.append(
                Problem(
                    path="profiles",
                    message="profiles stand in the catalogue, not in a region",
                    remedy=f"move each to {_shown(folder, self.root)}/NAME.yaml",
                    file=place.file,
                    line=place.line,
                    rule="profiles-in-region",
                )
            )
        profiles: list[dict[str, Any]] = []
        for path in self._files(folder):
            shown = _shown(path, self.root)
            at: Location = ("profiles", len(profiles))
            document = read(path, shown_as=shown, prefix=at)
            self.problems += document.problems
            self.places.update(document.places)
            self.places[at] = Position(shown, 1)
            profiles.append(document.data)
            name = document.data.get("profile")
            if isinstance(name, str) and name != path.stem:
                self.problems.append(
                    Problem(
                        path=f"profiles[{len(profiles) - 1}].profile",
                        message="a profile and its file have different names",
                        found=name,
                        allowed=path.stem,
                        remedy="rename one of them",
                        file=shown,
                        line=self.places[(*at, "profile")].line,
                        rule="profile-file-name",
                    )
                )
        self.data["profiles"] = profiles

    def _files(self, folder: Path) -> list[Path]:
        files = sorted(folder.glob("*.yaml")) if folder.is_dir() else []
        if not files:
            self.is_incomplete = True
            shown = _shown(folder, self.root)
            self.problems.append(
                Problem(
                    path=shown,
                    message="the folder holds no description" if folder.is_dir() else "there is no such folder",
                    allowed="a folder with files named *.yaml",
                    remedy="choose one of the folders beside it, or copy stacks/regions/lab",
                    rule="folder-empty",
                )
            )
        return files

    def _check_folder_name(self, folder: Path) -> None:
        name, place = self.data.get("region"), self.places.get(("region",))
        if isinstance(name, str) and place and name != folder.resolve().name:
            self.problems.append(
                Problem(
                    path="region",
                    message="a region and its folder have different names",
                    found=name,
                    allowed=folder.resolve().name,
                    remedy="rename one of them: stacks and state are found by this name",
                    file=place.file,
                    line=place.line,
                    rule="region-folder-name",
                )
            )
