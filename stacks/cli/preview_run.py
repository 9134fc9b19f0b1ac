"""Finds what a preview shows: consequences from two snapshots, and Pulumi's previews of the layers."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from components.clients.git import unpack
from components.errors import Problem, SpecError
from components.plan.consequences import Consequences, Planned, Snapshot, consequences, planned_actions, snapshot_of
from components.spec.recorded import digest
from stacks.cli.costs import cost_table_of
from stacks.cli.environment import use_pulumi
from stacks.cli.layers import Phase
from stacks.cli.preview_result import Preview
from stacks.description import Described, describe, describe_past
from stacks.project import CATALOGUE, LAYERS, REGIONS, ROOT
from stacks.snapshots import contents, described_snapshot, recorded

STATE = "what the stacks recorded"
_TREES = ("stacks/regions", "playbooks")


@dataclass(frozen=True, kw_only=True)
class Change:
    """From what to what, before it is looked at."""

    old: Snapshot | None
    new: Snapshot
    described: Described
    compared: str

    @cached_property
    def planned(self) -> tuple[Planned, ...]:
        """Every action, one by one."""
        return planned_actions(self.old.layers if self.old else None, self.new.layers)

    @cached_property
    def consequences(self) -> Consequences:
        """What all of them mean."""
        return consequences(self.old, self.new, costs=cost_table_of(self.described.plan.region))

    def preview(self, phases: Sequence[Phase] = ()) -> Preview:
        """What is shown of it."""
        region = self.described.plan.region
        return Preview(
            region=region,
            compared=self.compared,
            consequences=self.consequences,
            plan=self.described.plan,
            phases=tuple(phases),
            unready=self.described.unready,
            description=digest(self.described.compact),
        )


def from_state(region: str, layers: Sequence[str]) -> Change:
    """From what the stacks recorded to the description. Starts no provider."""
    use_pulumi()
    now = describe(region)
    before = recorded(region)
    return Change(
        old=before.snapshot(LAYERS),
        new=described_snapshot(now.plan, contents(), layers, before),
        described=now,
        compared=STATE,
    )


def from_version(region: str, against: str) -> Change:
    """From another version of the description, a folder or a commit, to this one. Needs no state."""
    now = describe(region)
    with _tree(against) as folder:
        before = _version(region, folder)
        # what is not in that tree is the same in both
        of = contents(folder) if (folder / "playbooks").is_dir() else contents()
        old = snapshot_of(before.plan, of) if before else None
    return Change(
        old=old, new=snapshot_of(now.plan, contents()), described=now, compared=f"the description in {against}"
    )


def from_region(one: str, other: str) -> Change:
    """From one region to another, as if the first became the second."""
    before, after = describe(one), describe(other)
    of = contents()
    return Change(
        old=snapshot_of(before.plan, of),
        new=snapshot_of(after.plan, of),
        described=after,
        compared=f"the description of {one}",
    )


def _version(region: str, folder: Path) -> Described | None:
    """The region as it is described there; None if it is not."""
    regions = folder / REGIONS.relative_to(ROOT)
    if not (regions / region).is_dir():
        return None
    catalogue = regions / CATALOGUE.name
    return describe_past(regions / region, catalogue if catalogue.is_dir() else CATALOGUE, folder)


@contextlib.contextmanager
def _tree(against: str) -> Generator[Path]:
    """A folder as it is, or the tree of a commit for as long as it is needed."""
    if (folder := Path(against)).is_dir():
        _refuse_strange(folder)
        yield folder.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="gpuregion-") as folder:
        unpack(ROOT, against, _TREES, Path(folder))
        yield Path(folder)


def _refuse_strange(folder: Path) -> None:
    """Raise SpecError for a folder that holds no version of the project: all of the region would be told as new."""
    regions = REGIONS.relative_to(ROOT)
    if not (folder / regions).is_dir():
        problem = Problem(
            path="--against",
            message="the folder holds no version of the project",
            found=str(folder),
            allowed=f"a folder with {regions} in it, or a commit",
            remedy="name the root of a checkout",
        )
        raise SpecError("there is nothing to compare with", [problem])
