"""The page of the catalogue: every fact with its value, unit, confidence and source."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from components.spec.catalogue import Catalogue, CatalogueItem
from components.spec.catalogue.facts import evidence_for, facts, values

_UNITS = {
    "gib": "GiB",
    "mib": "MiB",
    "kib": "KiB",
    "gb": "GB",
    "kw": "kW",
    "gbps": "Gbit/s",
    "s": "s",
    "ms": "ms",
    "km": "km",
    "kg": "kg",
    "u": "U",
    "volts": "V",
    "amperes": "A",
    "eur": "EUR",
    "b": "10^9",
    "tokens": "tokens",
}
"""Last word of a field's name -> unit of its value."""

_TITLES = {
    "racks": "Racks and servers",
    "switches": "Switches",
    "power_units": "Power units",
    "baselines": "Firmware baselines",
    "software": "Software sets",
    "bring_ups": "Bring-ups",
    "models": "Models",
    "prices": "Prices",
    "latencies": "Latencies",
}

_INTRO = """# The catalogue

What regions are made of, as `stacks/regions/_catalogue` says it. The keys of its files are in [catalogue-files.md](catalogue-files.md).

Confidence: **V** was read in a source; **D** was derived here, as the note says; **K** is general knowledge that nobody read again, to be checked on the first delivery. What no source gives is not filled in, and listed as unknown."""


def catalogue_page(catalogue: Catalogue) -> str:
    """The whole page."""
    lines = [_INTRO]
    kind_before = ""
    for kind, _, item in catalogue.items():
        if kind != kind_before:
            lines += ["", f"## {_TITLES[kind]}"]
            kind_before = kind
        lines += ["", f"### {item.name}", *_about(item), *_facts(item), *_unknown(item)]
    lines += ["", "## Sources", "", "| id | title | where |", "|---|---|---|"]
    for name, source in catalogue.sources.items():
        title = f"{source.title} (secondary)" if source.secondary else source.title
        lines.append(f"| {name} | {_cell(title)} | {_cell(source.where)} |")
    return "\n".join(lines) + "\n"


def _about(item: CatalogueItem) -> Iterator[str]:
    if item.simulated:
        yield from ("", "Simulated: its values are the project's own.")
    if item.provisional:
        yield from ("", "**Provisional**: not delivered or not published yet; plans on it may change.")


def _facts(item: CatalogueItem) -> Iterator[str]:
    stated: dict[str, list[str]] = {}
    needed = {fact.path for fact in facts(item)}
    for value in values(item):
        if value.path.startswith("elevation."):
            continue  # for drawings only, and drawn elsewhere
        if value.value is not None and (value.path in needed or evidence_for(item, value.path)):
            stated.setdefault(value.path, []).append(_text(value.value))
    if not stated:
        return
    yield from ("", "| fact | value | unit | confidence | source | note |", "|---|---|---|---|---|---|")
    for path, texts in stated.items():
        evidence = evidence_for(item, path)
        columns = [f"`{path}`", _cell(_joined(texts)), _unit(path)]
        columns += [evidence.confidence, ", ".join(evidence.sources), _cell(evidence.note)] if evidence else [""] * 3
        yield "| " + " | ".join(columns) + " |"


def _unknown(item: CatalogueItem) -> Iterator[str]:
    if item.unknown:
        yield ""
        for path, reason in item.unknown.items():
            yield f"- unknown: `{path}`: {reason}"


def _unit(path: str) -> str:
    return _UNITS.get(path.rpartition(".")[2].rpartition("_")[2], "")


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _joined(texts: list[str]) -> str:
    """Values of all items of a list; the same ones that follow each other are counted."""
    runs = [(text, len(list(run))) for text, run in groupby(texts)]
    if len(runs) == 1:
        return texts[0]
    return ", ".join(text if count == 1 else f"{count} x {text}" for text, count in runs)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
