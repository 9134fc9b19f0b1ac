"""Consequences in sentences: the words that the terminal, the comment and the page share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from components.plan.actions import ActionKind
from components.plan.consequences.impact import DomainEffect, ServiceEffect, SpareGroup, TenantEffect
from components.plan.consequences.model import (
    ActionGroup,
    CableWork,
    Consequences,
    Danger,
    HandWork,
    PowerChange,
)
from components.plan.cost import euros
from components.words import count

DANGER: Mapping[Danger, str] = MappingProxyType(
    {
        Danger.HOST_LOST: "host lost",
        Danger.WIPED: "wiped",
        Danger.INTERRUPTED: "interrupted",
        Danger.CHANGED: "changed",
        Danger.RECORDED: "recorded only",
    }
)
"""One or two words for each danger."""

_DONE: Mapping[tuple[ActionKind, Danger | None], tuple[str, str]] = MappingProxyType(
    {
        (ActionKind.UNDEPLOY, None): ("host in service ends", "hosts in service end"),
        (ActionKind.CLEAN, Danger.HOST_LOST): (
            "host loses what is on its disks",
            "hosts lose what is on their disks",
        ),
        (ActionKind.CLEAN, None): (
            "machine that is not in service is wiped",
            "machines that are not in service are wiped",
        ),
        (ActionKind.DEPLOY, None): ("host is deployed", "hosts are deployed"),
        (ActionKind.ENROL, None): (
            "machine is made known to Ironic, or its record corrected",
            "machines are made known to Ironic, or their records corrected",
        ),
        (ActionKind.INSPECT, None): ("machine is inspected", "machines are inspected"),
        (ActionKind.REMOVE, None): ("machine is forgotten by Ironic", "machines are forgotten by Ironic"),
        (ActionKind.CONFIGURE, None): ("switch is configured anew", "switches are configured anew"),
        (ActionKind.RUN_PLAYBOOK, None): ("playbook runs", "playbooks run"),
        (ActionKind.NOTHING, None): ("record changes, no device does", "records change, no device does"),
    }
)
_CABLES: Mapping[CableWork, str] = MappingProxyType(
    {CableWork.MOVE: "move", CableWork.REMOVE: "take out", CableWork.ADD: "lay"}
)
_HAND: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "reboot": ("host is drained and rebooted", "hosts are drained and rebooted"),
        "flash": ("tray is flashed", "trays are flashed"),
        "move rack": ("rack is moved", "racks are moved"),
        "exchange switch": ("switch is exchanged", "switches are exchanged"),
        "install switch system": ("switch gets another system", "switches get another system"),
    }
)


def action_text(group: ActionGroup) -> str:
    """`3 hosts in service end: image changes from a to b`, without the devices."""
    words = _DONE.get((group.kind, group.danger)) or _DONE.get((group.kind, None)) or (group.kind, group.kind)
    flaps = f"; {count(group.disrupts_count, 'session or link flaps', 'sessions or links flap')}"
    text = count(group.count, *words) + (flaps if group.disrupts_count else "")
    return f"{text}: {group.reason}" if group.reason else text


def headline(found: Consequences) -> str:
    """The whole change in one line: each kind of action once, most dangerous first."""
    if found.is_empty:
        return "nothing physical changes"
    sums: dict[str, int] = {}
    words: dict[str, tuple[str, str]] = {}
    for group in found.actions:
        if group.danger is Danger.RECORDED or (group.kind, group.danger) == (ActionKind.CLEAN, Danger.HOST_LOST):
            continue  # who ends is wiped: one of both is enough here
        pair = _DONE.get((group.kind, group.danger)) or _DONE[(group.kind, None)]
        sums[pair[1]] = sums.get(pair[1], 0) + group.count
        words[pair[1]] = pair
    parts = [count(n, *words[key]) for key, n in sums.items()]
    parts += [hand_text(work) for work in found.hand_work]
    cables = sum(group.count for group in found.cables)
    parts += [count(cables, "cable is touched", "cables are touched")] if cables else []
    parts += [power_text(found.power)] if found.power else []
    changed = [t for t in (*found.tenants, *found.services) if t.change]
    parts += [count(len(changed), "tenant or service changes", "tenants and services change")] if changed else []
    return "; ".join(parts)


def duration_text(seconds: int) -> str:
    """`45 s`, `12 min`, `3 h 20 min`."""
    if seconds < 120:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def power_text(power: PowerChange) -> str:
    """`load goes from 0 to 132 kW`, with the site's share."""
    text = f"load goes from {power.before_kw:,g} to {power.after_kw:,g} kW"
    if power.facility_after_kw is None or not power.site_kw:
        return text
    return f"{text} ({power.facility_after_kw:,g} of {power.site_kw:,g} kW with cooling)"


def power_lines(power: PowerChange) -> Iterator[str]:
    """The steps, and what they cost."""
    for step in power.steps:
        rest = f", {duration_text(step.rest_s)} between them" if step.rest_s and step.count > 1 else ""
        sign = "+" if step.kw > 0 else ""
        yield f"{count(step.count, 'step', 'steps')} of {sign}{step.kw:,g} kW{rest}: {', '.join(step.racks)}"
    if power.eur_per_hour:
        yield f"energy: {euros(power.eur_per_hour, sign=True)} an hour at full load"


def cable_text(work: CableWork, network: str, n: int) -> str:
    """`lay 72 inband cables`."""
    return f"{_CABLES[work]} {n:,} {network} {'cable' if n == 1 else 'cables'}"


def hand_text(work: HandWork) -> str:
    """`16 hosts are drained and rebooted by hand`."""
    return f"{count(work.count, *_HAND[work.what])} by hand"


def domain_text(effect: DomainEffect) -> str:
    """What becomes of NVLink domains."""
    how = "for good" if effect.is_for_good else "at one time"
    name = count(effect.count, "NVLink domain is broken", "NVLink domains are broken")
    return f"{name}: {effect.gpus_away} of {effect.gpus} GPUs away {how}; jobs that span it end"


def node_lines(found: Consequences) -> Iterator[str]:
    """Nodes by what becomes of them."""
    nodes = found.nodes
    if nodes.leaving_and_back_count:
        what = count(nodes.leaving_and_back_count, "node leaves and joins again", "nodes leave and join again")
        yield f"{what}, at most {nodes.at_one_time} away at one time; drain before: {', '.join(nodes.leaving_and_back)}"
    if nodes.leaving_count:
        what = count(nodes.leaving_count, "node leaves for good", "nodes leave for good")
        yield f"{what}; drain before: {', '.join(nodes.leaving)}"
    if nodes.joining_count:
        yield f"{count(nodes.joining_count, 'node joins', 'nodes join')}: {', '.join(nodes.joining)}"
    if nodes.restarted_count:
        what = count(nodes.restarted_count, "node is worked on while it serves", "nodes are worked on while they serve")
        yield f"{what}: {', '.join(nodes.restarted)}"


def tenant_text(tenant: TenantEffect) -> str:
    """What a tenant notices."""
    lost = f"{tenant.share_lost:.1%} of the cluster's GPUs away at one time, {tenant.gpus_left:,} left"
    short = "; the quotas of all tenants do not fit in them" if tenant.is_short else ""
    parts = [*([tenant.change] if tenant.change else []), *([lost + short] if tenant.share_lost else [])]
    return f"tenant {tenant.namespace}: {'; '.join(parts)}"


def service_text(service: ServiceEffect) -> str:
    """What its callers notice."""
    parts = [service.change] if service.change else []
    if service.restarts:
        parts.append("its pods are made anew" if service.change != "gone" else "its pods end")
    if service.share_lost:
        low = ", fewer than it asks for at least" if service.is_below_min else ""
        less = service.replicas_during < service.replicas_before
        of = f"{service.replicas_during} of {service.replicas_before}" if less else f"all {service.replicas_before}"
        parts.append(f"room for {of} replicas while it runs{low}")
    return f"service {service.namespace}/{service.service}: {'; '.join(parts)}"


def spare_text(group: SpareGroup) -> str:
    """`250 with 2 spare trays (8 GPUs) of 18`."""
    spare = f"{count(group.spare_trays, 'spare tray', 'spare trays')} ({group.spare_gpus} GPUs) of {group.trays}"
    return f"{group.count:,} with {spare}: {', '.join(group.domains)}"
