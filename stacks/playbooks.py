"""Playbook runs of a layer, one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi

from components.clients.ansible import content_digest
from components.kubernetes.playbook import PlaybookRun, PlaybookRunArgs
from components.plan.model import RegionPlan
from components.plan.resources import playbook_inputs
from components.provider.resource import Provider


def run_in_order(
    plan: RegionPlan,
    project: Path,
    playbooks: Sequence[str],
    provider: Provider,
    after: Mapping[str, pulumi.Input[Any]],
    depends_on: Sequence[pulumi.Resource] = (),
) -> list[PlaybookRun]:
    """Declare the runs; each waits for the one before it, whose work on the hosts it needs, and for `depends_on`,
    whose change is no reason to run it again."""
    runs: list[PlaybookRun] = []
    for playbook in playbooks:
        inputs = playbook_inputs(plan, playbook, content_digest(project / "playbooks", playbook))
        runs.append(
            PlaybookRun(
                f"{plan.region}-{playbook.removesuffix('.yml')}",
                PlaybookRunArgs(inputs=inputs, after=after),
                pulumi.ResourceOptions(provider=provider, depends_on=[*depends_on, *runs]),
            )
        )
    return runs
