"""A region's description as it is applied: compiled, in its compact form, and with what stands in the way of it.

A preview also shows what cannot be applied yet; whoever acts asks `refuse_unready` first.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from components.clients.secrets import reference_path
from components.errors import Problem, SpecError
from components.plan import compile_region
from components.plan.model import RegionPlan
from components.plan.pending import completed, pending_index
from components.spec import load
from components.spec.artifacts import load as load_artifacts
from components.spec.recorded import compact
from components.spec.region import Region
from stacks.project import CATALOGUE, ROOT, kept, region_folder

_REMEDY = {
    False: "build and publish the images first (in the lab: make up)",
    True: "settle the figures, then take `provisional` out of the description",
}


@dataclass(frozen=True, kw_only=True)
class Described:
    """A description and what it means."""

    spec: Region
    plan: RegionPlan
    compact: str
    """What the stacks record."""
    unready: tuple[str, ...]
    """Why it cannot be applied, one reason each."""


def describe(region: str) -> Described:
    """Read and compile a region. Raises SpecError with every problem; touches no device."""
    with kept():
        return _described(load(region_folder(region), CATALOGUE))


def describe_past(folder: Path, catalogue: Path, project: Path) -> Described:
    """The same of another version that lies in `project`. References lead to what is here: it is not applied."""
    return _described(load(folder, catalogue, project=project, references=ROOT, is_past=True))


def _described(spec: Region) -> Described:
    path = reference_path(ROOT, spec.artifacts)
    is_published = path.is_file()
    artifacts, lacking = completed(load_artifacts(path), spec) if is_published else (pending_index(spec), ())
    unready: list[str] = []
    if not is_published:
        unready.append(f"its images are not published: there is no artifact index yet at {spec.artifacts}")
    if lacking:
        unready.append(f"the artifact index lacks {', '.join(lacking)}")
    if spec.provisional:
        unready.append("it is provisional: it stands on figures that are not settled")
    return Described(
        spec=spec, plan=compile_region(spec, artifacts), compact=compact(spec, artifacts), unready=tuple(unready)
    )


def refuse_unready(described: Described) -> None:
    """Raise SpecError if the description must not be applied."""
    if described.unready:
        raise SpecError(
            f"{described.plan.region} can be previewed, and not be brought up",
            [
                Problem(
                    path=described.plan.region,
                    message=reason,
                    remedy=_REMEDY["provisional" in reason],
                    rule="not-ready",
                )
                for reason in described.unready
            ],
        )
