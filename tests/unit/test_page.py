"""The page of a region: what is in it, that nothing in it can run, and that it asks nobody."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from components.plan import RegionPlan
from components.plan.consequences import Consequences
from components.plan.consequences.model import CableGroup, CableWork
from components.plan.page import page_data, render_page
from components.plan.page.data import embedded
from components.plan.page.html import element, table
from tests.pages import ATTACK, hostile, lab_change, region_plan

VOID = {"meta", "link"}


class Structure(HTMLParser):
    """Holds that elements end in the order in which they begin, and counts them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "action") and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> ends nothing"
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def essonne() -> RegionPlan:
    return region_plan("essonne")


@pytest.fixture(scope="module")
def change(tmp_path_factory: pytest.TempPathFactory, lab_plan: RegionPlan) -> tuple[RegionPlan, Consequences]:
    return lab_change(tmp_path_factory.mktemp("project"), lab_plan)


def test_a_region_of_250_racks_is_a_page_of_a_few_hundred_kilobytes(essonne: RegionPlan) -> None:
    page = render_page(essonne)
    assert len(page.encode()) < 400_000
    assert "18,000" in page


def test_the_same_plan_gives_the_same_page(lab_plan: RegionPlan) -> None:
    assert render_page(lab_plan) == render_page(lab_plan)


def test_the_page_is_whole_and_refers_to_nothing_outside(
    lab_plan: RegionPlan, change: tuple[RegionPlan, Consequences]
) -> None:
    for page in (render_page(lab_plan), render_page(*change)):
        seen = Structure(page)
        assert seen.open == []
        assert set(seen.addresses) == {"data:,", "#halls"}
        assert not re.search(r"url\(|@import", page), "the style asks for nothing"


def test_only_the_style_and_the_script_of_the_page_may_run(lab_plan: RegionPlan) -> None:
    page = render_page(lab_plan)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy
    rules = policy[1].replace("&#x27;", "'")
    assert rules.startswith("default-src 'none'; ")
    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.S)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in rules
    assert "unsafe" not in rules


def test_no_name_can_become_markup(change: tuple[RegionPlan, Consequences]) -> None:
    plan, consequences = change
    page = render_page(hostile(plan), hostile(consequences))
    assert page.count("window.hacked") > 20, "the attack is shown, as text"
    assert "<script>window.hacked" not in page
    assert "<img" not in page
    seen = Structure(page)
    assert seen.open == []
    assert seen.tags.count("script") == 2
    assert "img" not in seen.tags


def test_data_cannot_leave_its_element() -> None:
    text = embedded({"a": ATTACK + "<!--\u2028"})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"a": ATTACK + "<!--\u2028"}


def test_attributes_and_cells_are_escaped() -> None:
    assert element("p", "a < b", title='"x"') == '<p title="&quot;x&quot;">a &lt; b</p>'
    assert "<td>&lt;i&gt;</td>" in table("t", ("a", "b"), [("r", "<i>")])


def test_every_rack_stands_in_the_data_with_its_place_and_what_is_in_it(essonne: RegionPlan) -> None:
    racks = page_data(essonne)["racks"]
    rows = [dict(zip(racks["columns"], row, strict=True)) for row in racks["rows"]]
    assert [row["name"] for row in rows] == [rack.name for rack in essonne.racks]
    first = rows[0]
    assert (first["hall"], first["row"], first["position"], first["unit"], first["island"]) == (0, 1, 1, 1, 1)
    assert first["trays"] == "w" * 16 + "ss"
    assert first["addresses"] == 127
    assert (first["kw"], first["feed"]) == (116.0, 0)
    assert rows[-1]["trays"].startswith("c-"), "a slot without a tray is empty"


def test_addresses_are_given_once_a_rack_where_they_count_on(essonne: RegionPlan, lab_plan: RegionPlan) -> None:
    racks = page_data(essonne)["racks"]
    place = racks["columns"].index("bmc")
    assert racks["rows"][0][place] == essonne.racks[0].hosts[0].bmc_address
    rack = lab_plan.racks[0]
    moved = dataclasses.replace(rack.hosts[1], bmc_address="172.30.0.200")
    hosts = (rack.hosts[0], moved, *rack.hosts[2:])
    other = dataclasses.replace(lab_plan, racks=(dataclasses.replace(rack, hosts=hosts),))
    assert page_data(other)["racks"]["rows"][0][place] == [host.bmc_address for host in hosts]


def test_switches_are_drawn_by_plane_and_unit(essonne: RegionPlan) -> None:
    fabric = page_data(essonne)["fabric"]
    rows = {row[0]: dict(zip(fabric["columns"], row, strict=True)) for row in fabric["rows"]}
    leaf, border = rows["essonne-u01-leaf2"], rows["essonne-p1-border1"]
    assert (leaf["role"], leaf["plane"], leaf["unit"]) == ("leaf", 2, 1)
    assert (border["role"], border["unit"]) == ("border", None)
    assert leaf["links"] == {"host": 144, "spine": 24}


def test_the_compute_network_is_drawn_by_island(essonne: RegionPlan, lab_plan: RegionPlan) -> None:
    compute = page_data(essonne)["compute"]
    assert [island["core"] for island in compute["islands"]] == [144, 144]
    assert compute["islands"][1]["units"][-1] == [32, 32, 24, 2], "two racks in a unit that is built whole"
    assert page_data(lab_plan)["compute"] is None


def test_power_is_a_tree_of_loads_and_budgets(essonne: RegionPlan) -> None:
    power = page_data(essonne)["power"]
    assert len(power["feeds"]) == 4
    assert sum(len(feed["rows"]) for feed in power["feeds"]) == 16 + 2, "rows, and a network room in each hall"
    assert power["site"][0] == pytest.approx(sum(feed["kw"] for feed in power["feeds"]))


def test_what_changes_is_marked_most_dangerous_first(change: tuple[RegionPlan, Consequences]) -> None:
    plan, consequences = change
    changes = page_data(plan, consequences)["changes"]
    assert changes["racks"] == {0: 0}, "a host is lost"
    assert changes["trays"] == {0: "-0"}, "that in slot 2"
    assert changes["list"][0]["racks"] == [0]
    page = render_page(plan, consequences)
    dangers = re.findall(r'<li data-change="\d+" class="d(\d)">', page)
    assert dangers == sorted(dangers)
    assert dangers[0] == "0"
    assert "lab-r01-t02" in page


def test_a_cable_marks_what_is_at_its_ends(essonne: RegionPlan, change: tuple[RegionPlan, Consequences]) -> None:
    assert essonne.networks.compute is not None
    leaf = next(switch for switch in essonne.networks.compute.switches if switch.unit == 3)
    group = CableGroup(
        work=CableWork.ADD,
        network="compute",
        count=1,
        devices=(leaf.name, "ess-r017-t01"),
        examples=("a -> b",),
        lengths=(),
    )
    changed = dataclasses.replace(change[1], actions=(), hand_work=(), cables=(group,))
    marks = page_data(essonne, changed)["changes"]
    assert (marks["racks"], marks["units"], marks["switches"]) == ({16: 3}, {3: 3}, {})


def test_without_a_change_nothing_is_marked(lab_plan: RegionPlan) -> None:
    assert page_data(lab_plan)["changes"] is None
    assert 'id="changes"' not in render_page(lab_plan)


def test_the_tables_say_it_all_without_a_script(essonne: RegionPlan) -> None:
    page = render_page(essonne)
    for rack in essonne.racks:
        assert f'<th scope="row">{rack.name}</th>' in page
    for switch in essonne.fabric.switches:
        assert f'<th scope="row">{switch.name}</th>' in page
    for feed in essonne.power.feeds:
        assert f"<td>{feed.feed}</td>" in page


ASSETS = sorted(Path(render_page.__code__.co_filename).parent.glob("assets/*/*"))


@pytest.mark.parametrize("path", ASSETS, ids=lambda path: path.name)
def test_scripts_and_styles_are_small_and_make_no_markup_of_text(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 250
    assert text.count("{") == text.count("}")
    assert text.lstrip().startswith(("//", "/*", '"use strict"')), "says what it is about"
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function|\bvar \w", text)
    assert not re.search(r"fetch\(|XMLHttp|import\(|https?://(?!www\.w3\.org/2000/svg)", text)
    assert not [line for line in text.splitlines() if line != line.rstrip() or "\t" in line]
