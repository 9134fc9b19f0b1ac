"""The page in a browser: it draws, it asks nobody, and it serves those who do not see it or use no mouse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from components.plan import RegionPlan
from components.plan.page import render_page
from tests.browser import Browser, find_browser
from tests.pages import hostile, lab_change, region_plan, smaller_lab
from tests.regions import ROOT

PROGRAM = find_browser()
AUDIT = (ROOT / "tests" / "fixtures" / "page_audit.js").read_text()
FOCUSED = "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent"

pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason="no Chromium is installed: apt-get install chromium-headless-shell"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    assert PROGRAM is not None
    with Browser(PROGRAM) as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, lab_plan: RegionPlan) -> dict[str, Path]:
    """Files of pages by name."""
    folder = tmp_path_factory.mktemp("pages")
    changed, done = lab_change(tmp_path_factory.mktemp("project"), lab_plan)
    written = {
        "lab": render_page(lab_plan),
        "essonne": render_page(region_plan("essonne")),
        "change": render_page(changed, done),
        "smaller": render_page(*smaller_lab(tmp_path_factory.mktemp("smaller"))),
        "hostile": render_page(hostile(changed), hostile(done)),
    }
    for name, text in written.items():
        (folder / f"{name}.html").write_text(text)
    return {name: folder / f"{name}.html" for name in written}


def opened(browser: Browser, page: Path, *, scheme: str = "light", height: int = 1200) -> Browser:
    browser.size(1600, height)
    browser.prefer(prefers_color_scheme=scheme, prefers_reduced_motion="reduce")
    browser.open(page)
    return browser


@pytest.mark.parametrize("name", ["lab", "essonne", "change"])
def test_the_page_draws_without_a_word_and_asks_nobody(name: str, browser: Browser, pages: dict[str, Path]) -> None:
    opened(browser, pages[name])
    assert browser.ask("document.body.classList.contains('drawn')")
    assert browser.ask("document.querySelectorAll('.picture svg').length") >= 3
    assert browser.complaints == []
    assert browser.requests == [pages[name].as_uri()]


def test_every_rack_and_switch_is_drawn(browser: Browser, pages: dict[str, Path]) -> None:
    opened(browser, pages["essonne"])
    assert browser.ask("document.querySelectorAll('.rack').length") == 253
    assert browser.ask("document.querySelectorAll('.switch').length") == 232
    assert browser.ask("document.querySelectorAll('.unit').length") == 32
    assert browser.ask("document.querySelectorAll('.level').length") == 1 + 4 + 16 + 2, (
        "two network rooms beside the rows"
    )


def test_a_keyboard_walks_the_halls_and_opens_a_rack(browser: Browser, pages: dict[str, Path]) -> None:
    opened(browser, pages["essonne"])
    browser.press("Tab")
    assert browser.ask(FOCUSED) == "Skip to the pictures"
    for _ in range(3):  # past the ways to colour, which are one stop
        browser.press("Tab")
        if browser.ask("document.activeElement.getAttribute('role')") == "gridcell":
            break
    walk = [
        ("ArrowRight", "ess-r002"),
        ("ArrowDown", "ess-r018"),
        ("Home", "ess-r017"),
        ("ArrowLeft", "ess-r016"),
        ("End", "ess-r016"),
    ]
    assert browser.ask(FOCUSED).startswith("ess-r001:")
    for key, rack in walk:
        browser.press(key)
        assert browser.ask(FOCUSED).startswith(f"{rack}:"), key
    for _ in range(8):
        browser.press("ArrowDown")
    assert browser.ask(FOCUSED).startswith("ess-r144:"), "from the last row of a hall into the next hall"
    assert browser.ask("getComputedStyle(document.activeElement).outlineStyle") == "solid", "focus is seen"
    browser.press("Enter")
    assert browser.ask("document.querySelector('#detail h3').textContent") == "ess-r144"
    assert browser.ask("document.querySelector('[aria-selected]').getAttribute('aria-label')").startswith("ess-r144:")
    assert "unit 18, island 2" in browser.ask("document.querySelector('[role=status]').textContent"), "it is said"
    browser.press("Enter")
    assert browser.ask("document.activeElement.id") == "detail", "the second time goes into the panel"
    browser.press("Escape")
    assert browser.ask(FOCUSED).startswith("ess-r144:"), "and Escape comes back"


def test_the_panel_shows_what_stands_in_a_rack(browser: Browser, pages: dict[str, Path]) -> None:
    opened(browser, pages["essonne"])
    browser.ask("document.querySelector('.rack').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
    count = "document.querySelectorAll('#detail .{}').length"
    kinds = {"compute": 18, "nvlink": 9, "power-shelf": 8, "oob-switch": 2, "role-s": 2}
    assert {kind: browser.ask(count.format(kind)) for kind in kinds} == kinds
    said = browser.ask("document.querySelector('#detail').textContent")
    for fact in ("t17, t18", "116 kW planned", "10.64.0.0/24, 127 addresses", "unit1, island 1", "ess-r001-t18"):
        assert fact in said, fact
    assert "10.0.32.18" in said, "the loopback of the last tray, counted on from the first"
    assert browser.ask("document.querySelectorAll('.switch.related').length") == 4, "its leaves are marked"


def test_a_switch_a_row_and_a_unit_show_their_racks(browser: Browser, pages: dict[str, Path]) -> None:
    opened(browser, pages["essonne"])
    for selector, racks in ((".switch.leaf", 8), (".level.row", 16), (".level.feed", 64), (".unit", 8)):
        browser.ask(f"document.querySelector('{selector}').dispatchEvent(new MouseEvent('click', {{bubbles: true}}))")
        assert browser.ask("document.querySelectorAll('.rack.related').length") == racks, selector
    assert browser.complaints == []


def test_racks_are_coloured_by_what_is_asked(browser: Browser, pages: dict[str, Path]) -> None:
    opened(browser, pages["essonne"])
    for mode in browser.ask("[...document.querySelectorAll('input[name=mode]')].map((i) => i.value)"):
        browser.ask(f"document.querySelector('input[value={mode}]').click()")
        assert browser.ask("document.querySelectorAll('.rack.c0').length") > 0
        assert browser.ask("document.querySelectorAll('.legend li').length") >= 3
    assert browser.complaints == []


def test_what_changes_is_marked_in_every_picture_and_the_rest_can_be_hidden(
    browser: Browser, pages: dict[str, Path]
) -> None:
    opened(browser, pages["change"])
    for selector in (".rack.d0", ".level.site.d0", ".level.feed.d0", ".level.row.d0", ".thing.marked.d0"):
        assert browser.ask(f"document.querySelectorAll('{selector}').length") == 1, selector
    assert browser.ask("document.querySelector('.rack').getAttribute('aria-label')").endswith("changes: host lost")
    assert browser.ask("document.querySelector('.rack .symbol').textContent") == "✖", "a shape beside the colour"
    assert "host lost" in browser.ask("document.querySelector('#detail .note').textContent")
    hidden = "getComputedStyle(document.querySelector('.switch')).opacity"
    assert browser.ask(hidden) == "1"
    browser.ask("document.querySelector('#only').click()")
    assert float(browser.ask(hidden)) < 0.5
    browser.ask("document.querySelector('.changes button').click()")
    assert browser.ask("document.querySelectorAll('.rack.related').length") == 1
    assert browser.complaints == []


def test_a_rack_that_goes_is_struck_through_in_its_place(browser: Browser, pages: dict[str, Path]) -> None:
    opened(browser, pages["smaller"])
    assert browser.ask("document.querySelectorAll('.rack').length") == 1
    assert browser.ask("document.querySelectorAll('.gone .strike').length") == 1
    says = browser.ask("document.querySelector('.gone').getAttribute('aria-label')")
    assert says == "lab-r02: removed, nspawn-rack, 1 tray, hall bench row 1 place 2"
    assert browser.ask("document.querySelectorAll('.free').length") == 2, "its place is not shown as free"
    browser.ask("document.querySelector('#only').click()")
    assert browser.ask("getComputedStyle(document.querySelector('.gone')).opacity") == "1", "it is what changes"
    browser.ask("document.querySelector('.gone').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
    assert browser.ask("document.querySelector('#detail h3').textContent") == "lab-r02"
    assert "struck through" in browser.ask("document.querySelector('.legend').textContent")
    assert browser.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["lab", "essonne", "change", "smaller"])
def test_names_roles_and_contrast_are_right(name: str, scheme: str, browser: Browser, pages: dict[str, Path]) -> None:
    opened(browser, pages[name], scheme=scheme, height=4000)
    assert browser.ask(AUDIT) == []


def test_the_audit_finds_what_is_wrong(browser: Browser, pages: dict[str, Path]) -> None:
    opened(browser, pages["lab"], height=4000)
    browser.ask("document.documentElement.style.setProperty('--soft', '#999999')")
    browser.ask("document.documentElement.style.setProperty('--c0', '#9ab8d0')")
    browser.ask("document.querySelector('.rack').removeAttribute('aria-label')")
    said = "\n".join(browser.ask(AUDIT))
    for fault in ('it has no name: <g class="rack', "contrast 2.85: <dt", 'contrast 2.07: <text class="name">'):
        assert fault in said, said


def test_nothing_that_a_name_says_is_run(browser: Browser, pages: dict[str, Path]) -> None:
    opened(browser, pages["hostile"])
    for kind in ("rack", "switch", "level"):
        browser.ask(f"document.querySelector('.{kind}').dispatchEvent(new MouseEvent('click', {{bubbles: true}}))")
        assert browser.ask("document.querySelectorAll('#detail img, #detail script').length") == 0
    assert browser.ask("typeof window.hacked") == "undefined"
    assert browser.requests == [pages["hostile"].as_uri()]
    assert browser.complaints == []


def test_a_script_from_elsewhere_does_not_run(browser: Browser, pages: dict[str, Path], tmp_path: Path) -> None:
    page = pages["lab"].read_text().replace("</body>", "<script>window.hacked = 1</script></body>")
    (tmp_path / "page.html").write_text(page)
    opened(browser, tmp_path / "page.html")
    assert browser.ask("typeof window.hacked") == "undefined"
    assert any("Content Security Policy" in complaint for complaint in browser.complaints)


def test_without_scripts_the_tables_are_there(browser: Browser, pages: dict[str, Path]) -> None:
    browser.without_scripts()
    try:
        opened(browser, pages["essonne"])
        assert browser.ask("document.querySelectorAll('svg').length") == 0
        assert browser.ask("document.querySelectorAll('table.racks tbody tr').length") == 253
        assert browser.ask("document.querySelector('aside').checkVisibility()") is False, "no promise that nobody keeps"
    finally:
        browser.without_scripts(False)


def test_a_narrow_window_has_no_sideways_scrolling(browser: Browser, pages: dict[str, Path]) -> None:
    opened(browser, pages["essonne"])
    browser.size(420, 900)
    assert browser.ask("document.documentElement.scrollWidth") <= 420
