"""Playbook runs: what makes one necessary, by content and never by time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any

from components.plan.actions.action import ActionKind, Inputs, PhysicalAction, part

DEPLOYMENTS = "deployments"
"""Key of `after`: host -> mark of its deployment. A host with another mark has lost what was done on it."""
_SHOWN = 60
"""Longest value that is shown."""


def playbook_actions(old: Inputs | None, new: Inputs | None) -> tuple[PhysicalAction, ...]:
    """One run, or none. Deleting the record of a run undoes nothing on the hosts."""
    if new is None:
        name = old["playbook"] if old else "playbook"
        reason = "no longer described: what it did on the hosts stays"
        return (PhysicalAction(target=name, kind=ActionKind.NOTHING, reason=reason),)
    if old is None:
        return (PhysicalAction(target=new["playbook"], kind=ActionKind.RUN_PLAYBOOK, reason="never run"),)
    details = tuple(_differences(old, new))
    if not details:
        return ()
    return (
        PhysicalAction(
            target=new["playbook"],
            kind=ActionKind.RUN_PLAYBOOK,
            reason=details[0] if len(details) == 1 else f"{details[0]}, and {len(details) - 1} more",
            details=details,
        ),
    )


def _differences(old: Inputs, new: Inputs) -> Iterator[str]:
    yield from _keys("", part(old, "content"), part(new, "content"))
    before, after = host_variables(old), host_variables(new)
    for host in sorted({*before, *after}):
        if host not in after:
            yield f"host {host} is gone"
        elif host not in before:
            yield f"host {host} is new"
        else:
            yield from _keys(f"{host}: ", before[host], after[host])
    yield from _keys("", part(old, "inventory", "all", "vars"), part(new, "inventory", "all", "vars"))
    yield from _keys("", part(old, "variables"), part(new, "variables"))
    for references in ("file_variables", "secret_variables"):
        yield from _keys("reference of ", part(old, references), part(new, references))
    yield from _done_before(part(old, "after"), part(new, "after"), hosts=before.keys() & after.keys())


def _done_before(old: Inputs, new: Inputs, *, hosts: Set[str]) -> Iterator[str]:
    """What was done anew. What only one version of the program waits for has not been, nor a host without a mark."""
    before, after = part(old, DEPLOYMENTS), part(new, DEPLOYMENTS)
    for host in sorted(hosts & after.keys()):
        if after[host] != before.get(host):
            yield f"done before: {host} deployed anew"
    known = (old.keys() & new.keys()) - {DEPLOYMENTS}
    yield from _keys("done before: ", {k: old[k] for k in known}, {k: new[k] for k in known})


def _keys(prefix: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Both values where they are short; the inventory shows the others."""
    for key in sorted({*old, *new}):
        if key not in new:
            yield f"{prefix}{key} is gone"
        elif key not in old:
            yield f"{prefix}{key} is new"
        elif old[key] != new[key]:
            yield f"{prefix}{key} {_both(old[key], new[key])}"


def _both(old: object, new: object) -> str:
    if all(isinstance(value, str | int | float | bool) and len(str(value)) <= _SHOWN for value in (old, new)):
        return f"changes from {old} to {new}"
    return "differs"


def host_variables(inputs: Inputs) -> dict[str, dict[str, Any]]:
    """Host -> its variables and its group, over all groups of the inventory."""
    groups = part(inputs, "inventory", "all", "children", "hosts", "children")
    return {
        host: {"group": group, **part(groups, group, "hosts", host)}
        for group in groups
        for host in part(groups, group, "hosts")
    }
