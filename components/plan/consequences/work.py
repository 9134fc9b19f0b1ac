"""What people do by hand because of a change: the provider has no action for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from components.plan.actions.action import changed, part
from components.plan.actions.playbooks import host_variables
from components.plan.consequences.hosts import HostChange
from components.plan.consequences.model import HandWork
from components.plan.consequences.names import fold
from components.plan.consequences.snapshot import Layers
from components.plan.model import FirmwarePlan, RegionPlan
from components.plan.topology import RackPlace

_DRIVER = "nvidia_driver_version"
_ROLE = "roles/nvidia_driver"


def hand_work(
    old: RegionPlan | None, new: RegionPlan, layers: tuple[Layers, Layers], change: HostChange
) -> tuple[HandWork, ...]:
    """Reboots, racks to move, firmware to flash; `layers` are those of before and after."""
    return (
        *_reboots(*layers, change),
        *(_flashes(old, new) if old else ()),
        *(_moves(old, new) if old else ()),
        *(_switches(old, new) if old else ()),
    )


def _reboots(old: Layers, new: Layers, change: HostChange) -> Iterator[HandWork]:
    """The loaded driver stays until its host is rebooted, which no playbook does."""
    for layer, resources in new.items():
        for name, resource in resources.items():
            before = old.get(layer, {}).get(name)
            if before is None or _ROLE not in part(resource.inputs, "content"):
                continue
            was = part(before.inputs, "inventory", "all", "vars").get(_DRIVER)
            becomes = part(resource.inputs, "inventory", "all", "vars").get(_DRIVER)
            if was is None or becomes is None or was == becomes:
                continue
            hosts = [
                host
                for host, variables in host_variables(resource.inputs).items()
                if variables.get("nvidia_driver_gpu_count")
                and variables["group"] == "gpu_worker"
                and host in change.in_service
                and host not in change.ending
            ]
            if hosts:
                reason = f"{changed('NVIDIA driver', was, becomes)}: drain the node and reboot it, then run `region up` again"
                yield HandWork(what="reboot", reason=reason, count=len(hosts), targets=fold(hosts))


def _flashes(old: RegionPlan, new: RegionPlan) -> Iterator[HandWork]:
    """Trays that are there and get other firmware; each set of differences once."""
    before = {rack.name: rack.firmware for rack in old.racks}
    groups: Mapping[str, list[str]] = defaultdict(list)
    for rack in new.racks:
        was, becomes = before.get(rack.name), rack.firmware
        if was and becomes and was.parts != becomes.parts:
            groups[_versions(was, becomes)] += [host.name for host in rack.hosts if host.is_received]
    for reason, trays in sorted(groups.items()):
        if trays:
            yield HandWork(what="flash", reason=reason, count=len(trays), targets=fold(trays))


def _versions(old: FirmwarePlan, new: FirmwarePlan) -> str:
    before, after = dict(old.parts), dict(new.parts)
    parts = [p for p in sorted({*before, *after}) if before.get(p) != after.get(p)]
    return "; ".join(changed(part, before.get(part, "as delivered"), after.get(part, "as it is")) for part in parts)


def _moves(old: RegionPlan, new: RegionPlan) -> Iterator[HandWork]:
    """Racks that stand elsewhere, if anything of them is there."""
    there = {rack.name for rack in (*old.racks, *new.racks) if any(host.is_received for host in rack.hosts)}
    before = {place.rack: place for place in old.topology.racks}
    moved = [
        (place.rack, before[place.rack], place)
        for place in new.topology.racks
        if place.rack in before and place.rack in there and _where(before[place.rack]) != _where(place)
    ]
    if len(moved) == 1:
        rack, was, becomes = moved[0]
        yield HandWork(
            what="move rack", reason=changed("its place", _where(was), _where(becomes)), count=1, targets=(rack,)
        )
    elif moved:
        rack, was, becomes = moved[0]
        example = f"for example {rack}, {changed('its place', _where(was), _where(becomes))}"
        yield HandWork(
            what="move rack", reason=f"other places; {example}", count=len(moved), targets=fold(r for r, _, _ in moved)
        )


def _where(place: RackPlace) -> str:
    return f"hall {place.hall} row {place.row} position {place.position}"


def _switches(old: RegionPlan, new: RegionPlan) -> Iterator[HandWork]:
    """Switches that become another machine, or run another system."""
    before = {switch.name: switch for switch in old.fabric.switches}
    for what, field in (("exchange switch", "model"), ("install switch system", "os")):
        groups: Mapping[str, list[str]] = defaultdict(list)
        for switch in new.fabric.switches:
            was = before.get(switch.name)
            if was is not None and getattr(was, field) != getattr(switch, field):
                groups[changed(field, getattr(was, field), getattr(switch, field))].append(switch.name)
        for reason, names in sorted(groups.items()):
            yield HandWork(what=what, reason=reason, count=len(names), targets=fold(names))
