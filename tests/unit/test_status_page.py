"""The status page in a browser: it says all without a script, asks nobody, and serves those who see or steer otherwise."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from components.plan.status import (
    EdgeLine,
    GpuLine,
    Level,
    ReplicaLine,
    ServiceLine,
    Status,
    TenantLine,
    render_status,
)
from tests.browser import Browser, find_browser
from tests.pages import ATTACK

PROGRAM = find_browser()
AUDIT = (Path(__file__).parents[1] / "fixtures" / "page_audit.js").read_text()
needs_browser = pytest.mark.skipif(
    PROGRAM is None, reason="no Chromium is installed: apt-get install chromium-headless-shell"
)


def line(key: str, level: Level, state: str, **more: object) -> ServiceLine:
    plain = ServiceLine(
        key=key,
        kind="web",
        level=level,
        state=state,
        says=f"{key} is {state}",
        evidence=(),
        next_step="none",
        ready=0,
        wanted=0,
        gpus=0,
        eur=1.5,
    )
    return dataclasses.replace(plain, **more)  # pyright: ignore[reportArgumentType]


STATUS = Status(
    region="lab",
    at=datetime(2026, 11, 27, 22, 10, tzinfo=UTC),
    tenants=(
        TenantLine(
            name="demo",
            level=Level.WARN,
            state="waits",
            services=3,
            gpus_used=1,
            gpus_allowed=4,
            pods_used=2,
            pods_allowed=20,
            waiting=1,
            budget_eur=500.0,
            spent_eur=412.5,
        ),
    ),
    services=(
        line("demo/hello-gpu", Level.GOOD, "serving", ready=1, wanted=1, gpus=1),
        line("demo/sleeper", Level.IDLE, "asleep"),
        line(
            "demo/broken",
            Level.BAD,
            "image missing",
            wanted=1,
            evidence=("pod broken-1: ErrImagePull: not found",),
            next_step="publish the image",
        ),
    ),
    replicas=(
        ReplicaLine(service="demo/hello-gpu", pod="hello-gpu-1", node="lab-r01-t02", devices=("gpu-0",), is_ready=True),
        ReplicaLine(service="demo/broken", pod="broken-1", node="", devices=(), is_ready=False),
    ),
    gpus=(
        GpuLine(
            node="lab-r01-t02",
            model="simulated",
            level=Level.GOOD,
            published=2,
            planned=2,
            claimed=1,
            holders=("tenant-demo/hello-gpu-1",),
        ),
        GpuLine(node="lab-r01-t03", model="simulated", level=Level.BAD, published=0, planned=2, claimed=0, holders=()),
    ),
    edges=(
        EdgeLine(name="paris", site="paris", address="10.0.0.1", level=Level.GOOD, state="up"),
        EdgeLine(name="tokyo", site="tokyo", address="10.0.0.2", level=Level.BAD, state="down"),
    ),
    cost_eur=412.5,
)
UNREAD = dataclasses.replace(
    STATUS,
    services=None,
    replicas=None,
    gpus=None,
    cost_eur=None,
    unread=(("services", "the cluster does not answer"), ("cost", "the metering does not answer")),
)
HOSTILE = dataclasses.replace(
    STATUS,
    region=f"lab{ATTACK}",
    services=(line(f"demo{ATTACK}", Level.BAD, f"x{ATTACK}", evidence=(ATTACK,), next_step=ATTACK),),
    unread=((f"cost{ATTACK}", ATTACK),),
)
PAGES = {"whole": STATUS, "unread": UNREAD, "hostile": HOSTILE}


def test_the_page_says_all_that_it_is_given() -> None:
    page = render_status(STATUS)
    for fact in (
        "demo/hello-gpu",
        "image missing",
        "pod broken-1: ErrImagePull: not found",
        "publish the image",
        "lab-r01-t02",
        "tenant-demo/hello-gpu-1",
        "412.50",
        "500.00",
        "tokyo",
        "2 planned",
    ):
        assert fact in page, fact


def test_what_could_not_be_read_is_said_and_never_shown_as_nothing() -> None:
    page = render_status(UNREAD)
    assert "Not known: the cluster does not answer" in page
    assert "Not known: the metering does not answer" in page
    assert page.count("<b>not known</b>") == 5
    assert "every service is asleep" not in page


def test_nothing_that_a_name_says_becomes_markup() -> None:
    page = render_status(HOSTILE)
    assert "<script" not in page
    assert "<img" not in page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert PROGRAM is not None
    with Browser(PROGRAM) as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("status")
    for name, status in PAGES.items():
        (folder / f"{name}.html").write_text(render_status(status), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in PAGES}


@needs_browser
@pytest.mark.parametrize("name", PAGES)
def test_the_page_asks_nobody_and_complains_of_nothing(name: str, browser: Browser, pages: dict[str, Path]) -> None:
    browser.size(1600, 1200)
    browser.open(pages[name])
    assert browser.complaints == []
    assert browser.requests == [pages[name].as_uri()]
    assert browser.ask("document.scripts.length") == 0
    assert browser.ask("typeof window.hacked") == "undefined"


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["whole", "unread"])
def test_names_roles_and_contrast_are_right(name: str, scheme: str, browser: Browser, pages: dict[str, Path]) -> None:
    browser.size(1600, 4000)
    browser.prefer(prefers_color_scheme=scheme, prefers_reduced_motion="reduce")
    browser.open(pages[name])
    said = browser.ask(AUDIT)
    # The audit is wary of a page with little text; one of which half could not be read has little.
    assert [fault for fault in said if name == "whole" or not fault.startswith("only ")] == []


@needs_browser
def test_a_keyboard_reaches_the_tables_and_opens_what_was_seen(browser: Browser, pages: dict[str, Path]) -> None:
    browser.size(1600, 1200)
    browser.open(pages["whole"])
    stops: list[str] = []
    for _ in range(9):
        browser.press("Tab")
        stops.append(
            browser.ask("document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent")
        )
        if stops[-1].startswith("demo/broken"):
            browser.press("Enter")
            assert browser.ask("document.activeElement.parentElement.open")
    assert stops[0] == "Skip to the services"
    assert stops[1] == "Services"
    assert {"Replicas", "Tenants", "GPUs", "Edges"} <= set(stops)
    assert any(stop.startswith("demo/broken") for stop in stops), stops


@needs_browser
def test_a_narrow_window_has_no_sideways_scrolling(browser: Browser, pages: dict[str, Path]) -> None:
    browser.size(420, 900)
    browser.open(pages["whole"])
    assert browser.ask("document.documentElement.scrollWidth") <= 420
