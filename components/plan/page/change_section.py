"""The part of the page that says what a change does: the list, most dangerous first, and what follows from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from components.plan.consequences.model import DANGERS, Consequences, Danger, ServiceEffect
from components.plan.page.changes import SYMBOLS, WORDS, Change, changes_of
from components.plan.page.html import Markup, element, folded, section, table

NAMES_SHOWN = 12


def change_section(consequences: Consequences) -> Markup:
    """The whole part."""
    changes = changes_of(consequences)
    return section(
        "changes",
        "What this change does",
        _verdict(consequences, changes),
        element("ol", *(_item(number, change) for number, change in enumerate(changes)), class_="changes"),
        table("What follows", ("about", "what", "how much"), _effects(consequences)),
        _rollback(consequences),
        element("ul", *(element("li", note) for note in consequences.notes), class_="notes"),
        intro=f"Digest {consequences.digest[:16]}; estimated duration {duration(consequences.duration.seconds)}.",
    )


def duration(seconds: int) -> str:
    """`2 h 5 min`."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (rest if not hours else 0, "s")]
    return " ".join(f"{value} {unit}" for value, unit in parts if value) or "0 s"


def badge(danger: Danger) -> Markup:
    """The shape and the word of a danger."""
    shape = element("span", SYMBOLS[danger], aria_hidden="true")
    return element("span", Markup(f"{shape} "), WORDS[danger], class_=f"badge d{DANGERS.index(danger)}")


def _verdict(consequences: Consequences, changes: tuple[Change, ...]) -> Markup:
    if consequences.is_empty:
        return element("p", "No device, cable, tenant or service is touched.", class_="verdict")
    counts = Counter(change.danger for change in changes)
    said = (element("li", badge(danger), f" {counts[danger]:,}") for danger in DANGERS if counts[danger])
    return element("ul", *said, class_="verdict")


def _item(number: int, change: Change) -> Markup:
    names = ", ".join(change.targets[:NAMES_SHOWN])
    names += f" and {len(change.targets) - NAMES_SHOWN:,} more" if len(change.targets) > NAMES_SHOWN else ""
    details = (
        folded("Details", element("ul", *(element("li", detail) for detail in change.details)))
        if change.details
        else Markup("")
    )
    return element(
        "li",
        badge(change.danger),
        element("strong", change.title),
        element("span", change.text, class_="reason"),
        element("code", names),
        details,
        data_change=number,
        class_=f"d{DANGERS.index(change.danger)}",
    )


def _effects(consequences: Consequences) -> Iterator[tuple[str, str, str]]:
    nodes = consequences.nodes
    for domains in consequences.domains:
        back = "for good" if domains.is_for_good else "for a while"
        what = f"{domains.count:,} NVLink domains lose {domains.gpus_away} of {domains.gpus} GPUs {back}"
        yield "NVLink", what, ", ".join(domains.domains[:NAMES_SHOWN])
    for count, what, names in (
        (nodes.leaving_and_back_count, "drained, and join again", nodes.leaving_and_back),
        (nodes.leaving_count, "drained, and gone", nodes.leaving),
        (nodes.joining_count, "join", nodes.joining),
        (nodes.restarted_count, "are worked on while they serve", nodes.restarted),
    ):
        if count:
            yield "nodes", f"{count:,} {what}", ", ".join(names[:NAMES_SHOWN])
    if nodes.at_one_time:
        yield "nodes", "away at one time, at most", f"{nodes.at_one_time:,}"
    for tenant in consequences.tenants:
        lost = f"{tenant.share_lost:.1%} of the GPUs away, {tenant.gpus_left:,} left"
        yield (
            f"tenant {tenant.namespace}",
            tenant.change or _noticed(tenant.share_lost),
            lost + (", too few" if tenant.is_short else ""),
        )
    for service in consequences.services:
        yield f"service {service.service}", service.change or _noticed(service.share_lost), _replicas(service)
    if consequences.power:
        power = consequences.power
        yield "power", "planned load", f"{power.before_kw:,.1f} to {power.after_kw:,.1f} kW"
    spares = consequences.spares
    yield "spares", "held back after it", f"{spares.region_trays:,} trays, {spares.region_gpus:,} GPUs"
    if consequences.not_received.count:
        yield "not received", "trays that are planned and not touched", f"{consequences.not_received.count:,}"


def _noticed(share_lost: float) -> str:
    return "has less while it runs" if share_lost else "stays"


def _replicas(service: ServiceEffect) -> str:
    before, during = service.replicas_before, service.replicas_during
    room = f"room for {before:,} replicas" if before == during else f"room for {during:,} of {before:,} replicas"
    return room + (", fewer than its least" if service.is_below_min else "")


def _rollback(consequences: Consequences) -> Markup:
    if not consequences.rollback:
        return Markup("")
    rows = ((step.what, "yes" if step.is_possible else "no", step.how) for step in consequences.rollback)
    return table("The way back", ("what", "possible", "how"), rows)
