"""Loads the description of a region, or says everything that is wrong with it at once."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from components.errors import Problem, SpecError
from components.spec import neighbours
from components.spec.catalogue.files import read_catalogue
from components.spec.draft import Draft, salvage
from components.spec.expand import expand
from components.spec.position import Location, Position, Positions
from components.spec.problems import problems_of
from components.spec.region import Received, Region
from components.spec.rules import RULES
from components.spec.rules.rule import run
from components.spec.source import read
from components.spec.steering_file import STEERING_FILE, load_steered
from components.words import count


def load(
    region_dir: Path,
    catalogue_dir: Path,
    *,
    project: Path | None = None,
    references: Path | None = None,
    is_past: bool = False,
) -> Region:
    """Read and check a region: its folder of YAML files and the catalogue of rack profiles.

    Problems name files relative to `project`, by default the folder three above the region's, as in
    `stacks/regions/<region>`; `file:` references are relative to `references`, by default the same folder.
    Raises SpecError with every problem; nothing is half accepted. The past is compared and never applied: it is
    not held to the rules of today.
    """
    above = region_dir.resolve().parents
    root = (project or above[min(2, len(above) - 1)]).resolve()
    reader = _Reader(root, references or root)
    reader.read_region(region_dir)
    reader.read_catalogue(catalogue_dir)
    reader.read_steering(region_dir)
    if not is_past:
        reader.read_neighbours(region_dir)
    positions = Positions(MappingProxyType(reader.places))
    problems = reader.problems
    delivered = reader.read_received()
    long = expand(reader.data, positions, delivered)
    problems += long.problems
    positions = Positions(MappingProxyType(reader.places), MappingProxyType(long.origins))
    region: Region | None = None
    try:
        region = Region.model_validate_json(json.dumps(long.data), strict=True).at(positions, delivered)
        draft = Draft(region, frozenset(Region.model_fields))
    except ValidationError as error:
        found = (p for p in problems_of(error, Region, positions) if not (long.incomplete and _is_made(p.path)))
        problems += _unexplained(found, reader)
        draft = salvage(long.data, error, delivered)
    problems += [] if is_past else run(RULES, draft.without(long.incomplete), positions)
    if problems or region is None:
        ordered = sorted(_gathered(problems), key=lambda p: (p.file or "", p.line or 0, p.path, p.rule or ""))
        faults = count(len(ordered), "problem")
        raise SpecError(f"{_shown(region_dir, root)}: {faults}; nothing has been touched", ordered)
    return region


def _is_made(path: str) -> bool:
    """Whether short forms make what is here: it is missing where one of them cannot be read, which is told already."""
    return path in ("racks", "fabric.spines", "fabric.leaves") or path.endswith(").leaves")


def _unexplained(problems: Iterable[Problem], reader: _Reader) -> list[Problem]:
    """Without what only follows from a fault of a file: its keys are missing, its bad value is none."""
    said = {problem.path for problem in reader.problems}
    return [p for p in problems if p.path not in said and not (reader.is_incomplete and p.path in Region.model_fields)]


def _gathered(problems: Iterable[Problem]) -> Iterator[Problem]:
    """What all members of a series have in common is said once, of the first, with their number."""
    groups: dict[tuple[object, ...], list[Problem]] = {}
    for problem in problems:
        series, is_member, _ = problem.path.partition(" (")
        groups.setdefault((problem.rule, problem.file, problem.line, series, bool(is_member)), []).append(problem)
    for (*_, is_series), (first, *others) in groups.items():
        if is_series and others:
            yield dataclasses.replace(first, message=f"{first.message} (and {len(others)} more of this series)")
        else:
            yield from (first, *others)


def _shown(path: Path, root: Path) -> str:
    """The path as an operator types it from the project's root."""
    path = path.resolve()
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


class _Reader:
    """Collects the content of all files, and what is wrong with them as files."""

    def __init__(self, root: Path, references: Path) -> None:
        self.root = root
        self.references = references
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
        self._read_tenants(folder / "tenants")

    def _read_tenants(self, folder: Path) -> None:
        """Each tenant is a file of its own, so that who may change which tenant is a matter of files."""
        if "tenants" in self.data:
            self._add(
                ("tenants",),
                "tenants-in-region",
                "a tenant is a file of its own, not a key of the region's files",
                allowed=f"{_shown(folder, self.root)}/TENANT.yaml",
                remedy=f"move each to a file below {_shown(folder, self.root)}",
            )
        tenants: list[dict[str, Any]] = []
        for path in sorted(folder.glob("*.yaml")):
            shown = _shown(path, self.root)
            at: Location = ("tenants", len(tenants))
            document = read(path, shown_as=shown, prefix=at)
            self.problems += document.problems
            if document.problems and not document.data:
                self.is_incomplete = True
                continue
            self.places[at] = Position(shown, 1)
            self.places.update(document.places)
            tenants.append(document.data)
            self._check_tenant_name(at, document.data.get("tenant"), path)
        self.data["tenants"] = tenants

    def _check_tenant_name(self, at: Location, name: object, path: Path) -> None:
        if isinstance(name, str) and name != path.stem:
            self._add(
                (*at, "tenant"),
                "tenant-file-name",
                "a tenant and its file have different names",
                found=name,
                allowed=path.stem,
                remedy="rename one of them: a tenant is found by its file",
            )

    def read_catalogue(self, folder: Path) -> None:
        if "catalogue" in self.data:
            # Rejected as unknown would be unfair: the model has it, but from the catalogue's folder only.
            self._add(
                ("catalogue",),
                "catalogue-in-region",
                "what hardware is stands in the catalogue, not in a region",
                remedy=f"move each item to a file of its own below {_shown(folder, self.root)}",
            )
        files = read_catalogue(folder, root=self.root)
        self.problems += files.problems
        self.places.update(files.places)
        self.is_incomplete |= files.is_incomplete
        self.data["catalogue"] = files.data

    def read_steering(self, folder: Path) -> None:
        """What this region must do where it is an edge: a fault in the one file for all is told of each region."""
        path = folder.resolve().parent / STEERING_FILE
        if "steering" in self.data:
            self._add(
                ("steering",),
                "steering-in-region",
                "which regions are edges stands in one file for all of them",
                allowed=_shown(path, self.root),
                remedy=f"make it an edge in {_shown(path, self.root)}",
            )
        try:
            steered = load_steered(folder.resolve().name, path.parent, root=self.root)
        except SpecError as error:
            self.problems += error.problems
            return
        self.data["steering"] = steered.model_dump(mode="json") if steered else None

    def read_neighbours(self, folder: Path) -> None:
        """Services that other regions declare for this one too, and whether those that it declares can run there."""
        tenants: list[dict[str, Any]] = self.data["tenants"]
        sites: Any = self.data["catalogue"].get("sites")
        self.problems += neighbours.problems(
            folder, tenants, Positions(self.places), cast("dict[str, str]", sites) if isinstance(sites, dict) else {}
        )
        index = {str(tenant.get("tenant")): number for number, tenant in enumerate(tenants)}
        for taken in neighbours.taken(folder, lambda path: _shown(path, self.root)):
            # Where the tenant is missing here, its home has been told.
            if (number := index.get(taken.tenant)) is None:
                continue
            services: Any = tenants[number].setdefault("services", [])
            if isinstance(services, list):
                own = cast("list[Any]", services)
                at: Location = ("tenants", number, "services", len(own))
                self.places.update({(*at, *inner): place for inner, place in taken.places.items()})
                own.append(taken.service)

    def read_received(self) -> Received:
        """The list of delivered hardware; nothing where the description names none or none has come."""
        reference = self.data.get("received")
        if not isinstance(reference, str) or not reference.startswith("file:"):
            return {}
        path = self.references / reference.removeprefix("file:")
        if not path.is_file():
            return {}
        try:
            content: object = json.loads(path.read_text(encoding="utf-8"))
            return TypeAdapter(dict[str, dict[str, dict[str, Any]]]).validate_python(content)
        except (ValueError, ValidationError):
            shown = _shown(path, self.root)
            self.problems.append(
                Problem(
                    path="received",
                    message="the list of delivered hardware cannot be read",
                    allowed='JSON: {rack: {slot: {"serial": ..., "macs": [...]}}}',
                    remedy=f"write {shown} anew from the supplier's list",
                    file=shown,
                    rule="received-form",
                )
            )
            return {}

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
        name = self.data.get("region")
        if isinstance(name, str) and name != folder.resolve().name:
            self._add(
                ("region",),
                "region-folder-name",
                "a region and its folder have different names",
                found=name,
                allowed=folder.resolve().name,
                remedy="rename one of them: stacks and state are found by this name",
            )

    def _add(
        self,
        at: Location,
        rule: str,
        message: str,
        *,
        remedy: str,
        found: str | None = None,
        allowed: str | None = None,
    ) -> None:
        positions = Positions(self.places)
        self.problems.append(positions.problem(at, rule, message, found=found, allowed=allowed, remedy=remedy))
