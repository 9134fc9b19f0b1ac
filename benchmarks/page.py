"""How large the pictures of a region are, and how long they take: compile, screen, page, and loading it in a browser.

    python -m benchmarks.page [--region essonne] [--rounds 5]

Without Chromium the last figure is left out.
"""

from __future__ import annotations

import argparse
import gzip
import io
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from rich.console import Console

from components.plan.page import render_page
from stacks.cli.screen import screen
from stacks.project import load_hardware
from tests.browser import Browser, find_browser

LARGEST_KB = 400
SCREEN_S = 3.0
"""For `region show`: compile and screen together, without starting Python."""
Made = TypeVar("Made")


def timed(work: Callable[[], Made], rounds: int) -> tuple[Made, list[float]]:
    """What was made last, and the seconds of each round."""
    seconds: list[float] = []
    made: Made | None = None
    for _ in range(rounds):
        began = time.perf_counter()
        made = work()
        seconds.append(time.perf_counter() - began)
    assert made is not None
    return made, seconds


def in_browser(program: str, page: str, rounds: int) -> list[float]:
    """From the start of loading until everything is drawn."""
    with tempfile.TemporaryDirectory() as folder, Browser(program) as browser:
        path = Path(folder) / "page.html"
        path.write_text(page)

        def load() -> bool:
            browser.open(path)
            return bool(browser.ask("document.body.classList.contains('drawn')"))

        drawn, seconds = timed(load, rounds)
        assert drawn
        assert browser.complaints == []
        return seconds


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--region", default="essonne")
    arguments.add_argument("--rounds", type=int, default=5)
    wanted = arguments.parse_args()
    rounds: int = wanted.rounds

    plan, compiling = timed(lambda: load_hardware(wanted.region), rounds)
    _, showing = timed(lambda: Console(file=io.StringIO(), width=140).print(screen(plan)) or True, rounds)
    page, rendering = timed(lambda: render_page(plan), rounds)
    size = len(page.encode())

    print(
        f"{wanted.region}: {len(plan.racks)} racks, {len(plan.hosts):,} trays; {platform.machine()}, {rounds} rounds, median (worst)"
    )
    for what, seconds in (("read and compile", compiling), ("screen", showing), ("page", rendering)):
        print(f"  {what:18} {statistics.median(seconds):6.2f} s ({max(seconds):.2f})")
    program = find_browser()
    if program is None:
        print("  load in a browser: left out, no Chromium is installed")
    else:
        seconds = in_browser(program, page, rounds)
        print(f"  {'load in a browser':18} {statistics.median(seconds):6.2f} s ({max(seconds):.2f})")
    packed = len(gzip.compress(page.encode()))
    print(f"  page: {size / 1000:.0f} kB, {packed / 1000:.0f} kB packed; at most {LARGEST_KB}")
    whole = statistics.median(compiling) + statistics.median(showing)
    good = size <= LARGEST_KB * 1000 and whole <= SCREEN_S
    print(f"  region show: {whole:.2f} s, at most {SCREEN_S:g}: {'good' if good else 'TOO MUCH'}")
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
