"""All physical actions of a change, one by one, as the provider's diff finds them.

Adds what no single resource can know: which playbooks run again because of what an earlier layer does in the
same change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from components.plan.actions import ActionKind, PhysicalAction, playbook_actions, rack_actions, switch_actions
from components.plan.actions.action import Inputs, part
from components.plan.actions.playbooks import DEPLOYMENTS, host_variables
from components.plan.consequences.effects import effects_of_run
from components.plan.consequences.model import Danger
from components.plan.consequences.snapshot import LAYERS, PLAYBOOK, RACK, SWITCHES, Layers, Resource

_ACTIONS: Mapping[str, Callable[[Inputs | None, Inputs | None], tuple[PhysicalAction, ...]]] = MappingProxyType(
    {RACK: rack_actions, SWITCHES: switch_actions, PLAYBOOK: playbook_actions}
)
_ANEW = "deployed by this change"
_BEFORE = "deployed before"


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One action, and where it belongs."""

    layer: str
    resource: str
    token: str
    action: PhysicalAction
    danger: Danger
    effects: tuple[str, ...] = ()

    @property
    def rack(self) -> str | None:
        """The rack of a tray."""
        return self.resource if self.token == RACK else None

    @property
    def device(self) -> str:
        """What the journal calls it: runs of playbooks go by the name of their resource."""
        return self.resource if self.token == PLAYBOOK else self.action.target

    @property
    def is_physical(self) -> bool:
        """Whether a device, or a host, notices."""
        return self.action.kind is not ActionKind.NOTHING


def planned_actions(old: Layers | None, new: Layers) -> tuple[Planned, ...]:
    """In the order of layers, of the resources as they are described, and of devices."""
    before = old or {}
    planned: list[Planned] = []
    for layer in LAYERS:
        was, becomes = before.get(layer, {}), new.get(layer, {})
        if layer in ("cluster", "runtime"):
            was, becomes = _with_causes(layer, before, new, planned)
        for name in (*becomes, *sorted(was.keys() - becomes.keys())):
            planned += _of_resource(layer, name, was.get(name), becomes.get(name))
    return tuple(planned)


def _of_resource(layer: str, name: str, old: Resource | None, new: Resource | None) -> Iterator[Planned]:
    resource = new or old
    if resource is None or resource.token not in _ACTIONS:
        return
    was, becomes = old.inputs if old else None, new.inputs if new else None
    effects = effects_of_run(was, becomes) if resource.token == PLAYBOOK else ()
    in_service = {tray for tray, each in part(was, "trays").items() if each.get("desired") == "active"}
    for action in _ACTIONS[resource.token](was, becomes):
        runs = action.kind is ActionKind.RUN_PLAYBOOK
        yield Planned(
            layer=layer,
            resource=name,
            token=resource.token,
            action=action,
            danger=_danger(action, is_in_service=action.target in in_service, interrupts=runs and bool(effects)),
            effects=effects if runs else (),
        )
        if action.kind is ActionKind.REMOVE:  # what follows is done to the machine that comes in its place
            in_service.discard(action.target)


def _danger(action: PhysicalAction, *, is_in_service: bool, interrupts: bool) -> Danger:
    if action.kind is ActionKind.NOTHING:
        return Danger.RECORDED
    if action.destructive:
        return Danger.HOST_LOST if is_in_service else Danger.WIPED
    return Danger.INTERRUPTED if action.disrupts or interrupts else Danger.CHANGED


def _with_causes(
    layer: str, old: Layers, new: Layers, planned: Iterable[Planned]
) -> tuple[Mapping[str, Resource], Mapping[str, Resource]]:
    """Runs of a layer with what they wait for, as it was and as it will be when their turn comes."""
    was, becomes = dict(old.get(layer, {})), dict(new.get(layer, {}))
    deployed = {p.action.target for p in planned if p.action.kind is ActionKind.DEPLOY}
    gone = {p.action.target for p in planned if p.action.kind is ActionKind.UNDEPLOY} - deployed
    for name, resource in becomes.items():
        before = was.get(name)
        if resource.token != PLAYBOOK or before is None or before.token != PLAYBOOK:
            continue
        after = part(before.inputs, "after") or _causes(layer, old, dict.fromkeys(_hosts(before), _BEFORE))
        marks = {host: mark for host, mark in part(after, DEPLOYMENTS).items() if host not in gone}
        marks |= dict.fromkeys(sorted(deployed), _ANEW)
        was[name] = _with(before, after)
        becomes[name] = _with(resource, _causes(layer, new, marks))
    return was, becomes


def _hosts(run: Resource) -> Iterable[str]:
    return sorted(host_variables(run.inputs))


def _with(resource: Resource, after: Mapping[str, Any]) -> Resource:
    return Resource(token=resource.token, inputs={**resource.inputs, "after": after})


def _causes(layer: str, layers: Layers, marks: Mapping[str, str]) -> dict[str, Any]:
    """What the layers below hand over, as their outputs will be."""
    if layer == "cluster":
        switches = {
            name: {"config_sha256": hashlib.sha256(switch["config"].encode()).hexdigest()}
            for group in layers.get("fabric", {}).values()
            for name, switch in sorted(part(group.inputs, "switches").items())
        }
        return {"fabric": switches, DEPLOYMENTS: dict(marks)}
    runs = [run for run in layers.get("cluster", {}).values() if run.token == PLAYBOOK]
    hosts = dict.fromkeys(_hosts(runs[-1]), "ok") if runs else {}
    return {"nodes": hosts, DEPLOYMENTS: dict(marks)}
