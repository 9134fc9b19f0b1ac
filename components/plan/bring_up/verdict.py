"""What becomes of a rack once all its endpoints have ended: which trays are handed over, and whether it is whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from components.plan.bring_up.work import EndpointWork, RackWork
from components.spec.catalogue.bring_up import BringUp
from components.spec.catalogue.firmware import Endpoint


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Of one rack."""

    trays: tuple[EndpointWork, ...]
    """Those that go to Ironic; none where the rack is isolated."""
    depends: Mapping[str, str]
    """Tray that is in order itself -> what is wrong with a part of it."""
    is_isolated: bool
    reason: str
    """In words; empty where the rack is whole."""


def verdict(rack: RackWork, bring_up: BringUp, isolated: frozenset[str]) -> Verdict:
    """From the names of isolated endpoints."""
    failed = [e for e in rack.endpoints if e.name in isolated]
    depends: dict[str, str] = {}
    for tray in (e for e in rack.endpoints if e.kind is Endpoint.COMPUTE_TRAY and e.name not in isolated):
        if parts := [e.name for e in failed if e.tray == tray.tray]:
            depends[tray.name] = f"{', '.join(parts)} isolated"
    trays = tuple(
        e
        for e in rack.endpoints
        if e.kind is Endpoint.COMPUTE_TRAY and e.name not in isolated and e.name not in depends
    )
    total = sum(e.kind is Endpoint.COMPUTE_TRAY for e in rack.endpoints)
    lost = Counter(e.kind for e in failed if e.kind not in (Endpoint.COMPUTE_TRAY, Endpoint.DPU))
    reasons = [
        f"{count} of its {_plural(kind)} isolated, it can do without {bring_up.kinds[kind].may_fail}"
        for kind, count in sorted(lost.items())
        if count > bring_up.kinds[kind].may_fail
    ]
    if total - len(trays) > rack.spares:
        reasons.append(f"{len(trays)} of {total} trays usable, {total - rack.spares} are needed")
    if reasons:
        return Verdict(trays=(), depends=depends, is_isolated=True, reason="; ".join(reasons))
    short = [f"{len(trays)} of {total} trays"] if len(trays) < total else []
    short += [f"without {count} of its {_plural(kind)}" for kind, count in sorted(lost.items())]
    return Verdict(trays=trays, depends=depends, is_isolated=False, reason=", ".join(short))


def _plural(kind: Endpoint) -> str:
    words = {Endpoint.POWER_SHELF: "power shelves", Endpoint.NVLINK_SWITCH: "NVLink switch trays"}
    return words.get(kind, f"{kind}s")
