"""Makes the pictures of Essonne that the README shows: `python -m docs.picture`, with Chromium installed.

The page of the region as a browser draws it, and the same in text and as a diagram for who cannot see it.
"""

from __future__ import annotations

import io
import struct
import sys
import tempfile
import zlib
from pathlib import Path

from rich.console import Console

from components.plan.page import render_page
from components.plan.summary import Summary, summary
from stacks.cli.screen import screen
from stacks.project import ROOT, load_hardware
from tests.browser import Browser, find_browser

REGION = "essonne"
PICTURES = ROOT / "docs" / "pictures"
SIZE = (1680, 1140)
LARGEST = 400_000
CHOSEN = "[...document.querySelectorAll('.rack')].find((r) => r.getAttribute('aria-label').startsWith('{}:'))"
SMALLEST = 9


def smaller(png: bytes) -> bytes:
    """The same picture, packed as well as possible: a browser packs fast instead."""
    header, chunks, at = png[:8], list[tuple[bytes, bytes]](), 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        chunks.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + length]))
        at += 12 + length
    packed = zlib.compress(zlib.decompress(b"".join(data for kind, data in chunks if kind == b"IDAT")), SMALLEST)
    kept = [chunk for chunk in chunks if chunk[0] in (b"IHDR", b"PLTE")]
    parts = [*kept, (b"IDAT", packed), (b"IEND", b"")]
    return header + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )


def photograph(program: str, page: str, rack: str) -> bytes:
    """The page in a window, with this rack chosen."""
    with tempfile.TemporaryDirectory() as folder, Browser(program) as browser:
        path = Path(folder) / "page.html"
        path.write_text(page)
        browser.size(*SIZE)
        browser.prefer(prefers_color_scheme="light", prefers_reduced_motion="reduce")
        browser.open(path)
        browser.ask(f"{CHOSEN.format(rack)}.dispatchEvent(new MouseEvent('click', {{bubbles: true}}))")
        browser.ask("document.activeElement.blur()")
        return smaller(browser.picture())


def in_text(seen: Summary, shown: str) -> str:
    """The region as a diagram and as the screen of `region show`."""
    numbers, site = seen.numbers, seen.of_level("site")[0]
    lines = [
        f"# {seen.region}, in text",
        "",
        "Made by `python -m docs.picture`, as [the picture](essonne.png) was.",
        "",
        "```mermaid",
        "flowchart TB",
        f'  site["{seen.site}, {seen.country}: {numbers.gpus:,} GPUs, {site.kw:,.0f} of {site.budget_kw:,.0f} kW"]',
    ]
    lines += [
        f'  site --> {hall.name}["hall {hall.name}: {hall.racks} racks, {hall.gpus:,} GPUs"]' for hall in seen.halls
    ]
    for network in seen.networks:
        made = ", ".join(f"{count:,} {tier}" for tier, count in network.switches)
        name = network.network.replace("-", "")
        lines.append(f'  {name}(["{network.network}: {made}"])')
        lines += [f"  {hall.name} --- {name}" for hall in seen.halls]
    return "\n".join([*lines, "```", "", "```", shown.rstrip(), "```", ""])


def main() -> int:
    program = find_browser()
    if program is None:
        print("no Chromium is installed: apt-get install chromium-headless-shell")
        return 1
    plan = load_hardware(REGION)
    picture = photograph(program, render_page(plan), "ess-r017")
    written = io.StringIO()
    console = Console(file=written, width=140)
    console.print(screen(plan), highlight=False)
    shown = written.getvalue()
    PICTURES.mkdir(exist_ok=True)
    (PICTURES / "essonne.png").write_bytes(picture)
    text = "\n".join(line.rstrip() for line in in_text(summary(plan), shown).splitlines()) + "\n"
    (PICTURES / "essonne.md").write_text(text)
    print(f"essonne.png: {len(picture) / 1000:.0f} kB, at most {LARGEST / 1000:.0f}")
    return 0 if len(picture) <= LARGEST else 1


if __name__ == "__main__":
    sys.exit(main())
