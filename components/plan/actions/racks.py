"""Racks: from old and new inputs to what is done to which tray, in which order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from components.plan.actions.action import ActionKind, Inputs, PhysicalAction, changed, part

_ACTIVE = "active"


def rack_actions(old: Inputs | None, new: Inputs | None) -> tuple[PhysicalAction, ...]:
    """Actions of a new rack (old is None), of a changed one, or of one that goes (new is None).

    In the order of tray names, each tray's actions in their own order; trays do not wait for each other.
    """
    before, after = part(old, "trays"), part(new, "trays")
    actions: list[PhysicalAction] = []
    for name in sorted({*before, *after}):
        if name not in after:
            actions += _removed(name, before[name], "no longer in the rack")
        elif name not in before:
            actions += _new(name, after[name], "new in the rack")
        elif before[name].get("serial") != after[name]["serial"]:
            why = changed("serial number", before[name].get("serial"), after[name]["serial"])
            actions += _removed(name, before[name], f"another machine: {why}")
            actions += _new(name, after[name], f"another machine: {why}")
        elif old and new:
            actions += _kept(name, old, new)
    if old and new and not actions:
        actions += _only_recorded(old, new)
    return tuple(actions)


def _new(name: str, tray: Inputs, why: str) -> Iterator[PhysicalAction]:
    yield PhysicalAction(target=name, kind=ActionKind.ENROL, reason=why)
    yield PhysicalAction(target=name, kind=ActionKind.INSPECT, reason=f"{why}: serial and MACs are compared")
    # Destructive: nobody can know what a machine from the floor still has on its disks.
    yield PhysicalAction(target=name, kind=ActionKind.CLEAN, reason=f"{why}: its disks are wiped", destructive=True)
    if tray["desired"] == _ACTIVE:
        yield PhysicalAction(target=name, kind=ActionKind.DEPLOY, reason=why)


def _removed(name: str, tray: Inputs, why: str) -> Iterator[PhysicalAction]:
    if tray.get("desired") == _ACTIVE:
        yield from _taken_down(name, why)
    yield PhysicalAction(target=name, kind=ActionKind.REMOVE, reason=why)


def _taken_down(name: str, why: str) -> Iterator[PhysicalAction]:
    yield PhysicalAction(target=name, kind=ActionKind.UNDEPLOY, reason=why, destructive=True)
    yield PhysicalAction(target=name, kind=ActionKind.CLEAN, reason=f"{why}: its disks are wiped", destructive=True)


def _kept(name: str, old: Inputs, new: Inputs) -> Iterator[PhysicalAction]:
    """The same machine in the same place."""
    before, after = old["trays"][name], new["trays"][name]
    record = [*_differences(before, after, "bmc_url", "macs"), *_differences(old, new, "bmc_credentials", "bmc_ca")]
    if record:
        yield PhysicalAction(target=name, kind=ActionKind.ENROL, reason="; ".join(record))
    was, becomes = before.get("desired"), after["desired"]
    if was == _ACTIVE and becomes != _ACTIVE:
        yield from _taken_down(name, "becomes a spare")
        return
    if becomes != _ACTIVE:
        if before.get("macs") != after["macs"]:
            yield PhysicalAction(target=name, kind=ActionKind.INSPECT, reason=_differences(before, after, "macs")[0])
        return
    if was != _ACTIVE:
        yield PhysicalAction(target=name, kind=ActionKind.DEPLOY, reason="a spare takes up service")
        return
    # All of this reaches a host by its image or its config drive, which are written at a deploy only.
    written = [*_image(old, new), *_differences(before, after, "hostname", "oob", "boot_mode")]
    if written:
        why = "; ".join(written)
        yield from _taken_down(name, why)
        yield PhysicalAction(target=name, kind=ActionKind.DEPLOY, reason=why)
    elif later := _differences(before, after, "dns"):
        yield _recorded(name, later)


def _image(old: Inputs, new: Inputs) -> list[str]:
    before, after = old["image"], new["image"]
    if before.get("sha256") == after["sha256"]:
        return []
    return [changed("image", _image_name(before), _image_name(after))]


def _image_name(image: Inputs) -> str:
    return f"{image.get('name')} {str(image.get('sha256'))[:12]}"


def _only_recorded(old: Inputs, new: Inputs) -> Iterator[PhysicalAction]:
    """References and settings, none of which a running host holds."""
    keys = [key for key in new if key not in ("trays", "image")]
    if differences := _differences(old, new, *keys):
        yield _recorded(new["rack"], differences)


def _recorded(target: str, differences: list[str]) -> PhysicalAction:
    reason = "; ".join(differences) + ": used from the next action on"
    return PhysicalAction(target=target, kind=ActionKind.NOTHING, reason=reason)


def _differences(old: Inputs, new: Inputs, *keys: str) -> list[str]:
    return [changed(key, _text(old.get(key)), _text(new.get(key))) for key in keys if old.get(key) != new.get(key)]


def _text(value: object) -> str:
    """As a person writes it."""
    if isinstance(value, Mapping):
        items = cast("Mapping[str, object]", value)
        return ", ".join(f"{key} {items[key]}" for key in sorted(items))
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, cast("Sequence[object]", value)))
    return str(value)
