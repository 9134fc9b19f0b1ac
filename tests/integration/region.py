"""The operator's side of a region on a bench: `python -m tests.integration.region PROJECT ACTION [PLAYBOOK]`.

ACTION is `fabric` (configure the switches), `play` (run a playbook), `check` (run it in check mode) or `refresh`
(what a refresh of its resource finds). Prints one JSON object. A process of its own, so that a test can kill it.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from components.clients.ansible import PlaybookFailedError, Progress, content_digest, play
from components.engine.journal import Journal
from components.plan import RegionPlan, compile_region
from components.plan.resources import playbook_inputs, switch_group_inputs
from components.provider.handler import Context
from components.provider.playbook_run import PlaybookRunHandler, playbook_request
from components.provider.switch_config import SwitchConfigHandler
from components.spec import artifacts
from tests.regions import ROOT, lab


def make_project(folder: Path, home: Path) -> Path:
    """A project whose lab is the one in `home`, with the playbooks of this tree."""
    folder.mkdir()
    (folder / ".lab").symlink_to(home)
    shutil.copytree(ROOT / "playbooks", folder / "playbooks")
    return folder


def plan_of(project: Path) -> RegionPlan:
    """The lab's plan with what is published on this bench."""
    return compile_region(lab(), artifacts.load(project / ".lab" / "artifacts.json"))


def inputs_of(project: Path, playbook: str) -> dict[str, Any]:
    """As a stack plans them; hosts that were seeded have their keys pinned by the lab."""
    inputs = playbook_inputs(plan_of(project), playbook, content_digest(project / "playbooks", playbook))
    inputs["ssh"]["known_hosts"] = "file:.lab/hosts/known_hosts"
    return inputs


async def act(project: Path, action: str, playbook: str) -> dict[str, Any]:
    """Do it; what came of it."""
    with Journal.open(project / "journal.db", scope=action) as journal:
        context = Context(project=project, region="lab", journal=journal)
        if action == "fabric":
            inputs = switch_group_inputs(plan_of(project))
            return (await SwitchConfigHandler().create("fabric", inputs, context)).outputs
        inputs = inputs_of(project, playbook)
        if action == "refresh":
            return await PlaybookRunHandler().read(playbook, inputs, context) or {}
        failure = ""
        try:
            result = await play(playbook_request(inputs, context, check=action == "check"), on_progress=_tell)
        except PlaybookFailedError as error:
            print(error, file=sys.stderr, flush=True)
            result, failure = error.result, str(error)
        return {
            "status": result.status,
            "seconds": round(result.seconds, 1),
            "failure": failure,
            "changed": result.changed,
            "ignored": sum(stats.ignored for stats in result.hosts.values()),
            "reports": {host: list(map(dict, reports)) for host, reports in result.reports.items()},
        }


def _tell(progress: Progress) -> None:
    print(progress, file=sys.stderr, flush=True)


if __name__ == "__main__":
    words = [*sys.argv[1:], ""]
    print(json.dumps(asyncio.run(act(Path(words[0]), words[1], words[2]))))
