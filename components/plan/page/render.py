"""The page: one HTML file that shows a region, and what a change does to it.

It asks nobody for anything: style, script and data are inside, and the policy in its head lets the browser run
just these two, known by their digests. Without a script the tables still say everything.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

from components.plan.consequences.model import Consequences
from components.plan.model import RegionPlan
from components.plan.page import tables
from components.plan.page.change_section import change_section
from components.plan.page.data import embedded, page_data
from components.plan.page.html import Markup, element, folded, section
from components.plan.summary import Summary, summary
from components.words import count

SCRIPTS = ("base.js", "grid.js", "halls.js", "rack.js", "fabric.js", "compute.js", "power.js", "changes.js", "main.js")
"""In the order in which they need each other."""
STYLES = ("colours.css", "page.css", "pictures.css")


def render_page(plan: RegionPlan, consequences: Consequences | None = None) -> str:
    """The whole file."""
    seen = summary(plan)
    data = page_data(plan, consequences)
    style, script = _assets("css", STYLES), _assets("js", SCRIPTS)
    title = f"{plan.region}: what a change does" if consequences else f"{plan.region}: the region as planned"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("link", rel="icon", href="data:,"),
        element("style", style),
    )
    body = element(
        "body",
        element("a", "Skip to the pictures", href="#halls", class_="skip"),
        _header(plan, seen),
        element("main", *_sections(plan, seen, data["compute"], consequences)),
        _detail(),
        element("script", Markup(embedded(data)), type="application/json", id="data"),
        element("script", script),
    )
    return "<!doctype html>\n" + element("html", head, body, lang="en") + "\n"


def _assets(folder: str, names: tuple[str, ...]) -> Markup:
    """Files of this package, one after the other. They are the project's own, so nothing is escaped."""
    root = files("components.plan.page") / "assets" / folder
    return Markup("\n".join((root / name).read_text(encoding="utf-8").strip() for name in names))


def _policy(style: str, script: str) -> str:
    def digest(content: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"

    return (
        f"default-src 'none'; style-src {digest(style)}; script-src {digest(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _header(plan: RegionPlan, seen: Summary) -> Markup:
    numbers, power = seen.numbers, plan.power
    where = f"{seen.site}, {seen.country}, {_position(plan)}, {seen.domain}"
    share = power.facility_kw / power.site_kw
    spares = f"{count(numbers.spare_trays, 'tray')} spare"
    tiles = [
        ("GPUs", f"{numbers.gpus:,}", f"{numbers.serving_gpus:,} in service, {spares}"),
        ("racks", f"{numbers.racks:,}", f"{count(numbers.trays, 'tray')}, {numbers.received_trays:,} received"),
        ("units", f"{numbers.units:,}", f"in {count(numbers.islands, 'island')}"),
        ("power", _power(power.facility_kw), f"{share:.1%} of {_power(power.site_kw)}, PUE {power.pue:g}"),
        ("energy", f"€{power.eur_per_hour:,.{0 if power.eur_per_hour >= 100 else 2}f}/h", "at full load"),
        ("nodes", f"{numbers.nodes:,}", f"in {count(len(seen.clusters), 'cluster')}"),
    ]
    return element(
        "header",
        element("h1", plan.region, Markup(" "), element("small", where)),
        element("p", "Provisional: on figures that are not settled.", class_="warning") if seen.provisional else "",
        element(
            "ul",
            *(element("li", element("span", n), element("b", v), element("small", note)) for n, v, note in tiles),
            class_="tiles",
            aria_label="Key numbers",
        ),
    )


def _position(plan: RegionPlan) -> str:
    site = plan.site
    north, east = "N" if site.latitude >= 0 else "S", "E" if site.longitude >= 0 else "W"
    return f"{abs(site.latitude):.2f}° {north} {abs(site.longitude):.2f}° {east}"


def _power(kw: float) -> str:
    return f"{kw / 1000:,.1f} MW" if kw >= 1000 else f"{kw:,.1f} kW"


def _sections(
    plan: RegionPlan, seen: Summary, compute: dict[str, list[dict[str, int]]] | None, consequences: Consequences | None
) -> list[Markup]:
    parts = [change_section(consequences)] if consequences else []
    parts += [
        section("halls", "Halls", _picture("halls"), folded("Racks as a table", tables.racks(plan))),
        section("power", "Power", _picture("power"), folded("As a table", tables.power(seen))),
        section("fabric", "In-band fabric", _picture("fabric"), folded("As a table", tables.fabric(plan))),
        section("compute", "Compute network", _picture("compute"), folded("As a table", tables.islands(seen, compute))),
        section("networks", "Networks", tables.networks(seen)),
        section("clusters", "Clusters and tenants", tables.clusters(plan, seen)),
        section("services", "Services", tables.services(plan)),
    ]
    return parts


def _picture(name: str) -> Markup:
    """Where a script draws; without one, the table below it is the whole story."""
    return element("div", id=f"{name}-picture", class_="picture")


def _detail() -> Markup:
    hint = element("p", "Choose a rack, a switch or a row in a picture: by mouse, or by arrow keys and Enter.")
    return element(
        "aside",
        element("h2", "Detail", id="detail-title"),
        element("p", id="said", role="status", class_="hidden"),
        element("div", hint, id="detail", tabindex="-1"),
        aria_labelledby="detail-title",
    )
