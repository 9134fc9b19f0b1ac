"""Where things stand in the project, and how a region is read.

Owns the paths of the project and the one way from a region's name to its compiled plan. All programs
(the Pulumi program, the command line) come through here, so that they never disagree.
"""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from components.clients.secrets import reference_path
from components.errors import Problem, SpecError
from components.plan import compile_region
from components.plan.model import RegionPlan
from components.plan.pending import pending_index
from components.spec import load
from components.spec.artifacts import load as load_artifacts

ROOT = Path(__file__).resolve().parent.parent
"""Root of the project."""
REGIONS = ROOT / "stacks" / "regions"
CATALOGUE = REGIONS / "_catalogue"
PLAYBOOKS = ROOT / "playbooks"
LAYERS = ("fabric", "substrate", "cluster", "runtime")
"""Layers of a region in the order in which they depend on each other."""


@dataclass(frozen=True)
class StackName:
    """A stack is one layer of one region: `<region>.<layer>`."""

    region: str
    layer: str

    @classmethod
    def parse(cls, name: str) -> StackName:
        """Split a stack's name; raises SpecError if it does not name a region and a layer."""
        region, _, layer = name.partition(".")
        if not region or layer not in LAYERS:
            raise SpecError(
                "not a stack of this project",
                [
                    Problem(
                        path="stack",
                        message="a stack is named <region>.<layer>",
                        found=name,
                        allowed=", ".join(f"<region>.{layer}" for layer in LAYERS),
                        remedy="pulumi stack select lab.fabric",
                    )
                ],
            )
        return cls(region, layer)

    def __str__(self) -> str:
        return f"{self.region}.{self.layer}"


def region_names() -> tuple[str, ...]:
    """Names of all regions that have a folder, sorted."""
    return tuple(sorted(p.name for p in REGIONS.iterdir() if p.is_dir() and not p.name.startswith("_")))


def region_folder(region: str) -> Path:
    """Folder of a region; raises SpecError naming the regions that exist."""
    if region not in region_names():
        raise SpecError(
            f"there is no region {region!r}",
            [
                Problem(
                    path="region",
                    message="a region is a folder of YAML files",
                    found=region,
                    allowed=", ".join(region_names()),
                    remedy=f"make stacks/regions/{region}/ or name another region",
                )
            ],
        )
    return REGIONS / region


@contextmanager
def kept() -> Generator[None]:
    """What is made inside lives as long as the program.

    A region is half a million objects. The collector would go through them again and again while they are made,
    for half of the time, and find nothing to collect; afterwards it leaves them alone.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


def load_plan(region: str) -> RegionPlan:
    """Read, validate and compile a region. Raises SpecError with every problem; touches no device."""
    with kept():
        spec = load(region_folder(region), CATALOGUE)
        return compile_region(spec, load_artifacts(reference_path(ROOT, spec.artifacts)))


def load_hardware(region: str) -> RegionPlan:
    """Read and compile a region before its images are published: for views of the hardware only."""
    with kept():
        spec = load(region_folder(region), CATALOGUE)
        return compile_region(spec, pending_index(spec))


def state_folder(region: str | None = None) -> Path:
    """Operator's state: journals, pinned host keys, kubeconfig; one folder per region."""
    base = ROOT / ".region"
    return base / region if region else base


def simulated_folder(region: str, scenario: Path) -> Path:
    """All that is kept of runs on the simulated fleet of a scenario: nothing in it is of the region itself."""
    return state_folder(region) / "simulated" / scenario.stem


def bring_up_folder(region: str) -> Path:
    """What the bring-up of the region's own machines keeps: journal, minted passwords, records for Ironic."""
    return state_folder(region) / "bring-up"
