"""Regions for tests: the lab from its own files, and copies of it that are wrong in one place."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from components.plan import RegionPlan, compile_region
from components.plan.pending import pending_index
from components.spec import Region, artifacts, load

ROOT = Path(__file__).parents[1]
REGIONS = ROOT / "stacks" / "regions"
ARTIFACTS = ROOT / "tests" / "fixtures" / "artifacts.json"


@dataclass(frozen=True)
class Edit:
    """Text that is replaced in one file of the lab's description or of the catalogue."""

    file: str
    old: str
    new: str


def lab() -> Region:
    """The lab's description."""
    return load(REGIONS / "lab", REGIONS / "_catalogue", project=ROOT)


def plan_of(region: Region) -> RegionPlan:
    """Its plan, with the artifact index of the fixtures."""
    return compile_region(region, artifacts.load(ARTIFACTS))


def edited_lab(folder: Path, edits: Iterable[Edit], name: str = "lab") -> Path:
    """A project in `folder` with one region, the lab but for these edits. Each edit must hit exactly once."""
    shutil.copytree(REGIONS / "lab", folder / "stacks/regions" / name)
    shutil.copytree(REGIONS / "_catalogue", folder / "stacks/regions/_catalogue")
    for edit in edits:
        path = file_of(folder, edit.file, name)
        text = path.read_text() if path.is_file() else ""
        assert not edit.old or text.count(edit.old) == 1, f"{edit.old!r} stands {text.count(edit.old)} times"
        path.write_text(text.replace(edit.old, edit.new) if edit.old else text + edit.new)
    return folder


def load_lab(project: Path, name: str = "lab") -> Region:
    """The region of an edited project."""
    return load(project / "stacks/regions" / name, project / "stacks/regions/_catalogue")


def file_of(project: Path, file: str, name: str = "lab") -> Path:
    """A file of the region, or `_catalogue/...`."""
    regions = project / "stacks/regions"
    return regions / file if file.startswith("_catalogue/") else regions / name / file


def one_rack(name: str) -> RegionPlan:
    """A region as it is with its first rack and its control plane only, before anything is published: each kind
    of switch, and little enough to read. Not judged by the rules: claims and budgets are of the whole."""
    region = load(REGIONS / name, REGIONS / "_catalogue", project=ROOT)
    series = {rack.profile for rack in region.racks}
    racks = tuple(next(rack for rack in region.racks if rack.profile == profile) for profile in sorted(series))
    used = {leaf for rack in racks for leaf in rack.leaves}
    leaves = tuple(leaf for leaf in region.fabric.leaves if leaf.name in used or leaf.edge)
    fabric = region.fabric.model_copy(update={"leaves": leaves})
    small = region.model_copy(update={"racks": racks, "fabric": fabric})
    return compile_region(small, pending_index(small))
