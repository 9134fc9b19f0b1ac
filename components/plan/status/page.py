"""The status page as HTML. It has no script and asks nobody for anything; a policy in its head holds that."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from importlib.resources import files

from components.plan.page.html import Cell, Markup, element, folded, section, table
from components.plan.status.model import GpuLine, Level, Status

STYLES = ("colours.css", "page.css")
"""Of the page of pictures: one look for both."""
MARKS = {
    Level.GOOD: ("●", "d3"),
    Level.IDLE: ("○", "d4"),
    Level.BUSY: ("◐", "d3"),
    Level.WARN: ("▲", "d1"),
    Level.BAD: ("✖", "d0"),
}
"""Shape and colour of a level: none of them says it alone."""


def render_status(status: Status) -> str:
    """The whole file."""
    style = _style()
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(style)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{status.region}: status"),
        element("link", rel="icon", href="data:,"),
        element("style", style),
    )
    body = element(
        "body",
        element("a", "Skip to the services", href="#services", class_="skip"),
        _header(status),
        element("main", *_sections(status)),
        _about(status),
        class_="drawn",
    )
    return "<!doctype html>\n" + element("html", head, body, lang="en") + "\n"


def _style() -> Markup:
    root = files("components.plan.page") / "assets" / "css"
    return Markup("\n".join((root / name).read_text(encoding="utf-8").strip() for name in STYLES))


def _policy(style: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"


def _header(status: Status) -> Markup:
    services, gpus = status.services or (), status.gpus or ()
    bad = [line for line in services if line.level is Level.BAD]
    asleep = sum(line.level is Level.IDLE for line in services)
    tiles: list[tuple[str, Cell, str]] = [
        ("services", _known(status.services, len(services)), f"{asleep} asleep"),
        ("need somebody", _known(status.services, len(bad)), ", ".join(line.key for line in bad[:3]) or "none"),
        (
            "replicas",
            _known(status.services, sum(s.ready for s in services)),
            f"of {sum(s.wanted for s in services)} wanted",
        ),
        (
            "GPUs claimed",
            _known(status.gpus, sum(g.claimed for g in gpus)),
            f"of {sum(g.published for g in gpus)} published",
        ),
        ("tenants", _known(status.tenants, len(status.tenants or ())), "of this region"),
        ("cost", "not known" if status.cost_eur is None else f"€{status.cost_eur:,.2f}", "of this month until now"),
    ]
    return element(
        "header",
        element("h1", status.region, Markup(" "), element("small", f"{status.at:%Y-%m-%d %H:%M:%S} UTC")),
        element(
            "ul",
            *(element("li", element("span", n), element("b", v), element("small", note)) for n, v, note in tiles),
            class_="tiles",
            aria_label="Key numbers",
        ),
    )


def _known(part: object, value: int) -> Cell:
    return "not known" if part is None else value


def _mark(level: Level, words: str) -> Markup:
    shape, colour = MARKS[level]
    return element("span", element("span", shape, aria_hidden="true"), f" {words}", class_=f"badge {colour}")


def _sections(status: Status) -> Iterable[Markup]:
    yield _section(status, "services", "Services", _services(status))
    yield _section(status, "replicas", "Replicas", _replicas(status))
    yield _section(status, "tenants", "Tenants", _tenants(status))
    yield _section(status, "gpus", "GPUs", _gpus(status))
    yield _section(status, "cost", "Cost", _cost(status))
    yield _section(status, "edges", "Edges", _edges(status))


def _section(status: Status, id_: str, title: str, inner: Markup | None) -> Markup:
    if inner is not None:
        return section(id_, title, inner)
    why = dict(status.unread).get(id_, "it was not read")
    return section(id_, title, element("p", f"Not known: {why}", class_="warning"))


def _services(status: Status) -> Markup | None:
    if status.services is None:
        return None
    shown = table(
        "Services",
        ("service", "type", "state", "replicas", "wanted", "GPUs", "why"),
        ((s.key, s.kind, _mark(s.level, s.state), s.ready, s.wanted, s.gpus, s.says) for s in status.services),
    )
    told = [line for line in status.services if line.evidence and line.level in (Level.BAD, Level.WARN)]
    details = [
        folded(
            f"{line.key}: what was seen, and what to do",
            element("ul", *(element("li", element("code", seen)) for seen in line.evidence)),
            element("p", f"Next: {line.next_step}"),
        )
        for line in told
    ]
    return Markup(shown + "".join(details)) if status.services else _none("No tenant has a service here.")


def _replicas(status: Status) -> Markup | None:
    if status.replicas is None:
        return None
    if not status.replicas:
        return _none("Nothing runs: every service is asleep.")
    return table(
        "Replicas",
        ("replica", "service", "node", "GPUs", "state"),
        (
            (
                r.pod,
                r.service,
                r.node or "no node yet",
                ", ".join(r.devices) or "none",
                _mark(Level.GOOD, "answers") if r.is_ready else _mark(Level.BUSY, "not ready"),
            )
            for r in status.replicas
        ),
    )


def _tenants(status: Status) -> Markup | None:
    if status.tenants is None:
        return None
    if not status.tenants:
        return _none("The region has no tenant.")
    return table(
        "Tenants",
        ("tenant", "state", "services", "GPUs", "of GPUs", "pods", "of pods", "waiting", "spent €", "budget €"),
        (
            (
                t.name,
                _mark(t.level, t.state),
                t.services,
                t.gpus_used,
                t.gpus_allowed,
                t.pods_used,
                t.pods_allowed,
                t.waiting,
                _euros(t.spent_eur),
                "none" if t.budget_eur is None else _euros(t.budget_eur),
            )
            for t in status.tenants
        ),
    )


def _gpus(status: Status) -> Markup | None:
    if status.gpus is None:
        return None

    def row(g: GpuLine) -> tuple[Cell, ...]:
        state = _mark(g.level, "good" if g.published == g.planned else f"{g.planned} planned")
        return (g.node, g.model, state, g.published, g.claimed, ", ".join(g.holders) or "nobody")

    return table("GPUs", ("host", "model", "state", "published", "claimed", "held by"), map(row, status.gpus))


def _cost(status: Status) -> Markup | None:
    if status.cost_eur is None or status.services is None:
        return None
    lines = sorted(status.services, key=lambda s: -(s.eur or 0.0))
    return table(
        "Cost of the month until now",
        ("service", "€"),
        [*((s.key, _euros(s.eur)) for s in lines), ("all, also what belongs to no service", _euros(status.cost_eur))],
    )


def _edges(status: Status) -> Markup | None:
    if status.edges is None:
        return None
    if not status.edges:
        return _none("No service of this region runs at edges.")
    return table(
        "Edges",
        ("edge", "site", "address", "state"),
        ((e.name, e.site, e.address, _mark(e.level, e.state)) for e in status.edges),
    )


def _none(words: str) -> Markup:
    return element("p", words, class_="intro")


def _euros(value: float | None) -> Cell:
    return None if value is None else f"{value:,.2f}"


def _about(status: Status) -> Markup:
    legend = element("ul", *(element("li", _mark(level, level.value)) for level in Level))
    unread = [element("p", f"{part}: {why}", class_="warning") for part, why in status.unread]
    return element(
        "aside",
        element("h2", "About this page", id="about-title"),
        element("p", "Read from the region itself at the time above; it does not renew itself."),
        legend,
        *unread,
        aria_labelledby="about-title",
    )
