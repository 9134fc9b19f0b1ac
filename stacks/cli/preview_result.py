"""What a preview found, before it is shown: the one input of every format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from components.plan.consequences import Consequences
from components.plan.model import RegionPlan
from stacks.cli.layers import Phase, State


@dataclass(frozen=True, kw_only=True)
class Preview:
    """The consequences of a change, and what Pulumi would do for it."""

    region: str
    compared: str
    """With what: `the recorded state`, a commit, a folder, another region."""
    consequences: Consequences
    plan: RegionPlan
    """What shall be."""
    phases: Sequence[Phase]
    """Pulumi's previews of the layers; none where two descriptions are compared."""
    unready: Sequence[str]
    """Why the description cannot be applied yet."""
    description: str
    """Digest of the description."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes: no device, no resource, and no layer failed."""
        quiet = not any(p.is_changed or p.state is State.FAILED for p in self.phases)
        return quiet and not self.consequences.actions and self.consequences.is_empty
