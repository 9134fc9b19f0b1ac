"""`gpuregion:ansible:PlaybookRun`: a playbook that has run with this content on this inventory.

Owns the translation between Pulumi's view and a run. What makes a run necessary is
plan/actions/playbooks.py; the run itself is clients/ansible.py. A refresh observes by Ansible's check mode,
which changes nothing: a host on which the playbook would change something has drifted, and the next update
runs it again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from components.clients.ansible import HostStats, PlaybookFailedError, PlaybookRequest, RunResult, play
from components.clients.join_gate import join_gate
from components.clients.secrets import resolve
from components.engine.join_pace import JoinPace
from components.engine.journal import Action, Observation
from components.plan.actions.action import ActionKind
from components.plan.actions.playbooks import host_variables, playbook_actions
from components.plan.naming import kubeconfig_path
from components.provider.handler import Context, Created, Properties
from components.provider.playbook_preview import OK, SETTINGS, PlaybookPreview
from components.words import count

PLAYBOOKS = "playbooks"
"""Folder below the project."""
JOIN_PACE = "kubernetes_join_pace"
"""A variable of the role that joins hosts."""


class PlaybookRunHandler(PlaybookPreview):
    """Implements provider.handler.Handler."""

    async def create(self, name: str, inputs: Properties, context: Context) -> Created:
        """Run the playbook. Every task looks before it acts, so running it again is harmless."""
        await self._run(name, inputs, context)
        return Created(id=name, outputs=_outputs(inputs))

    async def update(self, id: str, old: Properties, new: Properties, context: Context) -> dict[str, Any]:
        """Run it again if what it does, or where, has changed, or a refresh found that it is undone."""
        if old != new and not playbook_actions(old, new):
            return _outputs(new)
        return (await self.create(id, new, context)).outputs

    async def read(self, id: str, state: Properties, context: Context) -> dict[str, Any] | None:
        """What the playbook would change on each host if it were run now."""
        request = playbook_request(state, context, check=True)
        try:
            result = await play(request, on_progress=lambda progress: context.report(f"looks: {progress}"))
        except PlaybookFailedError as error:
            result = error.result
        return {"hosts": {host: _state(result.hosts.get(host)) for host in sorted(host_variables(state))}}

    async def delete(self, id: str, state: Properties, context: Context) -> None:
        """Forget the run. Nothing is undone on the hosts: they are wiped when they are given back."""

    async def _run(self, name: str, inputs: Properties, context: Context) -> None:
        results: list[RunResult] = []

        async def act() -> None:
            async with _with_turns(playbook_request(inputs, context), context) as request:
                result = await play(request, on_progress=lambda progress: context.report(str(progress)))
            results.append(result)

        async def not_known() -> Observation:
            return Observation.ABSENT

        action = Action(target=name, kind=ActionKind.RUN_PLAYBOOK, digest=run_digest(inputs))
        await context.journal.perform(action, observe=not_known, act=act)
        result = results[0]
        again = f", {len(result.again)} of them at the second attempt" if result.again else ""
        context.report(
            f"{count(result.changed, 'change')} on {count(len(result.hosts), 'host')}{again} in {result.seconds:.0f} s"
        )


def run_digest(inputs: Properties) -> str:
    """Identity of a run: everything that decides what it does."""
    told = {key: value for key, value in inputs.items() if key not in SETTINGS}
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=dict).encode()).hexdigest()


@asynccontextmanager
async def _with_turns(request: PlaybookRequest, context: Context) -> AsyncGenerator[PlaybookRequest]:
    """The request, with a gate at which hosts get their turn to join, however many processes work on them."""
    planned = request.inventory.get("all", {}).get("vars", {})
    if JOIN_PACE not in planned:
        yield request
        return
    pace = JoinPace(int(planned[JOIN_PACE]))
    async with join_gate(pace, context.project / kubeconfig_path(context.region)) as gate:
        yield replace(request, variables={**request.variables, "kubernetes_join_gate": str(gate)})


def playbook_request(inputs: Properties, context: Context, *, check: bool = False) -> PlaybookRequest:
    """What is asked of Ansible: references resolved, everything else as it was planned."""
    project, ssh = context.project, inputs["ssh"]
    public = {name: resolve(project, ref, private=False) for name, ref in inputs["file_variables"].items()}
    secret = {name: resolve(project, ref) for name, ref in inputs["secret_variables"].items()}
    stem = str(inputs["playbook"]).removesuffix(".yml")
    return PlaybookRequest(
        playbooks=project / PLAYBOOKS,
        playbook=inputs["playbook"],
        inventory=inputs["inventory"],
        variables={**inputs["variables"], **public, **secret},
        private_key=resolve(project, ssh["private_key"]),
        known_hosts=resolve(project, ssh["known_hosts"], private=False),
        directory=project,
        log=project / ".region" / context.region / "logs" / f"{stem}.log",
        check=check,
        timeout_s=int(inputs["timeout_s"]),
    )


def _outputs(inputs: Properties) -> dict[str, Any]:
    # No figures of the run: they would make every run a change for the layers that follow.
    return {"hosts": dict.fromkeys(sorted(host_variables(inputs)), OK)}


def _state(stats: HostStats | None) -> str:
    if stats is None or stats.unreachable:
        return "unreachable"
    return "drifted" if stats.changed or stats.failed else OK
