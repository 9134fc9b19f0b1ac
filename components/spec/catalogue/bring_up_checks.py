"""Rules on bring-ups: that steps are in order, can be done, and fit the firmware and the hardware of their racks."""

from __future__ import annotations

from collections.abc import Iterator

from components.spec.catalogue.bring_up import EndpointProfile, Reset, StepName
from components.spec.catalogue.catalogue import Catalogue
from components.spec.catalogue.check import check
from components.spec.catalogue.firmware import Endpoint
from components.spec.fault import Fault

_ORDER = list(StepName)
_NEEDS = {StepName.FLASH: StepName.ACTIVATE, StepName.ACTIVATE: StepName.VERIFY, StepName.BOOT: StepName.CONFIGURE}
"""Step -> step without which it leaves a thing half done."""


@check("bring-up-order", partial=True)
def steps_are_in_order(catalogue: Catalogue) -> Iterator[Fault]:
    """Steps stand in the order in which they can be done, each once, and none without the one that completes it."""
    for at, profile in _profiles(catalogue):
        names = [step.step for step in profile.steps]
        if names != sorted(set(names), key=_ORDER.index):
            yield Fault(
                at=(*at, "steps"),
                message="steps stand twice or in an order in which they cannot be done",
                found=", ".join(names),
                allowed=", ".join(_ORDER),
                remedy="order them",
            )
        for step, other in _NEEDS.items():
            if step in names and other not in names:
                yield Fault(
                    at=(*at, "steps"),
                    message=f"`{step}` is of no use without `{other}`",
                    found=", ".join(names),
                    allowed=f"both of them, or not `{step}`",
                    remedy=f"add `{other}`",
                )


@check("bring-up-reset", partial=True)
def resets_are_possible(catalogue: Catalogue) -> Iterator[Fault]:
    """Auxiliary power is cycled only where the endpoint has an action for it."""
    for at, profile in _profiles(catalogue):
        uses = [("activations", n, a.by) for n, a in enumerate(profile.activations)]
        uses += [("steps", n, step.remedy) for n, step in enumerate(profile.steps)]
        for key, number, reset in uses:
            if reset is Reset.AUX and profile.aux_cycle is None:
                yield Fault(
                    at=(*at, key, number),
                    message="this kind has no action that cycles auxiliary power",
                    found=reset.value,
                    allowed=f"{Reset.BMC}, {Reset.HOST}",
                    remedy="give `aux_cycle`, or another reset",
                )


@check("bring-up-cycle", partial=True)
def nobody_waits_for_himself(catalogue: Catalogue) -> Iterator[Fault]:
    """No kind waits for one that, over others or not, waits for it."""
    for index, bring_up in enumerate(catalogue.bring_ups):
        waits = {kind: {a.kind for s in p.steps for a in s.after} for kind, p in bring_up.kinds.items()}
        for kind in bring_up.kinds:
            if kind in _reachable(kind, waits):
                yield Fault(
                    at=("catalogue", "bring_ups", index, "kinds", kind.value, "steps"),
                    message="these endpoints would wait for themselves for ever",
                    found=", ".join(sorted(waits[kind])),
                    remedy="take one `after` of the circle away",
                )


@check("bring-up-firmware")
def firmware_is_activated(catalogue: Catalogue) -> Iterator[Fault]:
    """Every component that the baseline of a rack brings to a kind of endpoint is activated by something."""
    for rack in catalogue.racks:
        baseline = catalogue.baseline(rack.firmware) if rack.firmware else None
        for index, bring_up in enumerate(catalogue.bring_ups):
            if baseline is None or bring_up.bring_up != rack.bring_up:
                continue
            for kind, members in baseline.inventory.items():
                profile = bring_up.kinds.get(kind)
                known = {c for a in profile.activations for c in a.components} if profile else set[str]()
                if missing := sorted(set(members) - known):
                    where = (kind.value, "activations") if profile else ()
                    yield Fault(
                        at=("catalogue", "bring_ups", index, "kinds", *where),
                        message=f"nothing activates these components of a {kind} that {baseline.baseline} brings",
                        found=", ".join(missing),
                        allowed=", ".join(sorted(known)) or None,
                        remedy=f"name them in `kinds.{kind}.activations`",
                    )


def _profiles(catalogue: Catalogue) -> Iterator[tuple[tuple[str | int, ...], EndpointProfile]]:
    for index, bring_up in enumerate(catalogue.bring_ups):
        for kind, profile in bring_up.kinds.items():
            yield ("catalogue", "bring_ups", index, "kinds", kind.value), profile


def _reachable(start: Endpoint, waits: dict[Endpoint, set[Endpoint]]) -> set[Endpoint]:
    seen: set[Endpoint] = set()
    todo = list(waits.get(start, ()))
    while todo:
        kind = todo.pop()
        if kind not in seen:
            seen.add(kind)
            todo += waits.get(kind, ())
    return seen


CHECKS = (
    steps_are_in_order,
    resets_are_possible,
    nobody_waits_for_himself,
    firmware_is_activated,
)
