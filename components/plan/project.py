"""From a project's folder to a plan, for everyone who starts from a region's name.

The only reading is that of `components.spec`: the region's YAML and the artifact index it names.
"""

from __future__ import annotations

from pathlib import Path

from components.errors import Problem, SpecError
from components.plan.compile import compile_region
from components.plan.model import RegionPlan
from components.spec import artifacts, load
from components.spec.region import Region

_REGIONS = Path("stacks/regions")
_CATALOGUE = _REGIONS / "_catalogue"


def load_region(project: Path, name: str) -> Region:
    """The region's description, checked."""
    return load(project / _REGIONS / name, project / _CATALOGUE, project=project)


def load_plan(project: Path, name: str) -> RegionPlan:
    """The region's plan, with the artifacts that its description names."""
    region = load_region(project, name)
    return compile_region(region, artifacts.load(artifacts_path(project, region)))


def artifacts_path(project: Path, region: Region) -> Path:
    """The artifact index of a region; it is always a file."""
    scheme, _, path = region.artifacts.partition(":")
    if scheme != "file":
        place = region.positions.of(("artifacts",))
        problem = Problem(
            path="artifacts",
            message="the artifact index is read from a file",
            found=region.artifacts,
            allowed="file:PATH, relative to the project",
            remedy="write the path of the index",
            file=place.file if place else None,
            line=place.line if place else None,
            rule="artifacts-not-a-file",
        )
        raise SpecError(f"{region.region} has no artifact index", [problem])
    return project / path
