"""What the documentation names is there: files, headings, targets of make, modules; and pages have their parts."""

from __future__ import annotations

import re
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from components.plan.page import summary_data
from stacks.project import load_hardware
from tests.e2e.process import ROOT

LISTED = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
PAGES = sorted(ROOT / name for name in subprocess.check_output(LISTED, cwd=ROOT, text=True).splitlines())
FOLDERS = ("benchmarks", "components", "docs", "lab", "playbooks", "programs", "stacks", "tests")
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^()\s]+)\)")
ELSEWHERE = ("lab/echo",)
"""A model, whose name looks like a path."""
WRITTEN = re.compile(r"stacks/regions/[\w-]+/tenants/.*")
"""What a reader of a guide writes."""
NAMED = re.compile(rf"(?<![\w/.:-])((?:{'|'.join(FOLDERS)})/[\w./*-]+)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))


def anchor(heading: str) -> str:
    """Of a heading, as forges make it."""
    plain = re.sub(r"\[([^]]*)]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def dead_links(page: Path, text: str) -> list[str]:
    """Links within the project that lead to no file, or to no heading of it."""
    dead: list[str] = []
    for target in LINK.findall(CODE.sub("", text)):
        place, _, part = target.partition("#")
        path = (page.parent / place).resolve() if place else page
        if "://" in target or target.startswith("mailto:"):
            continue
        if not path.exists() or (part and part not in map(anchor, HEADING.findall(CODE.sub("", path.read_text())))):
            dead.append(target)
    return dead


def absent(text: str) -> list[str]:
    """Paths below the project's folders at which there is nothing."""
    named = {path.rstrip("./") for path in NAMED.findall(text)} - set(ELSEWHERE)
    return sorted(path for path in named if not WRITTEN.fullmatch(path) and not any(ROOT.glob(path)))


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    assert not dead_links(page, page.read_text())


@each_page
def test_every_path_that_a_page_names_is_there(page: Path) -> None:
    assert not absent(page.read_text())


@each_page
def test_every_target_and_module_that_a_page_runs_is_there(page: Path) -> None:
    text = page.read_text()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    typed = re.findall(r"(?:^|`)make ([a-z ]+?)(?:$|`| +#)", text, re.MULTILINE)
    assert {word for words in typed for word in words.split()} <= targets
    modules = set(re.findall(r"python -m ([a-z_.]+[a-z])", text))
    assert not {name for name in modules if find_spec(name) is None}


def test_a_name_that_leads_nowhere_is_found() -> None:
    page = ROOT / "docs" / "guides" / "operation.md"
    links = "[a](cost.md) [b](gone.md) [c](cost.md#budgets) [d](cost.md#gone) [e](#on-a-timer) [f](https://x/y)"
    assert dead_links(page, links) == ["gone.md", "cost.md#gone"]
    assert absent("`stacks/gone.py`, `stacks/project.py:12`, tests/unit/test_*.py, docs/.") == ["stacks/gone.py"]


@each_page
def test_no_page_says_where_packages_come_from(page: Path) -> None:
    found = re.findall(r"PyPI|[Dd]ocker ?[Hh]ub", page.read_text())
    assert not found, "that is a setting of the machine: docs/adr/0005-pin-packages-without-naming-registries.md"


def test_the_first_page_counts_as_the_plan_does() -> None:
    found: dict[str, Any] = summary_data(load_hardware("essonne"))
    numbers, networks = found["numbers"], found["networks"]
    switches = sum(count for network in networks if network["network"] != "NVLink" for _, count in network["switches"])
    cables = sum(network["cables"] for network in networks)
    said = (ROOT / "README.md").read_text()
    for text in (
        f"{numbers['gpus']:,} GPUs in {numbers['nvlink_domains']} GB200 NVL72 racks",
        f"{numbers['trays']:,} trays, {switches:,} switches and",
        f"{cables:,} cables",
    ):
        assert text in said


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "runbooks").glob("*.md")), ids=lambda path: path.stem)
def test_a_runbook_says_what_it_is_whom_it_hits_how_to_look_and_what_to_do(page: Path) -> None:
    text = page.read_text()
    assert re.findall("^#+ .+$", text, re.MULTILINE) == [
        f"# {page.stem}",
        "## Meaning",
        "## Impact",
        "## Diagnosis",
        "## Mitigation",
    ]
    assert all(body.strip() for body in re.split("^#+ .+$", text, flags=re.MULTILINE)[2:])


def test_decisions_are_counted_without_a_gap_and_say_why() -> None:
    pages = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        found = HEADING.findall(page.read_text())
        assert found[0].startswith(f"{int(page.name[:4])}. "), page.name
        parts = ["Context", "Decision", "Consequences"]
        assert [heading for heading in found if heading in parts] == parts, page.name


@pytest.mark.parametrize("folder", ["guides", "runbooks", "adr"])
def test_every_page_can_be_found_from_the_first_one(folder: str) -> None:
    linked: set[Path] = set()
    todo = [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        for target in LINK.findall(page.read_text()):
            path = (page.parent / target.partition("#")[0]).resolve()
            pages = path.glob("*.md") if path.is_dir() else [path]  # a folder is a list of its pages
            fresh = {page for page in pages if page.suffix == ".md" and page.is_file()} - linked
            linked |= fresh
            todo += fresh
    lost = {path.name for path in (ROOT / "docs" / folder).glob("*.md")} - {path.name for path in linked}
    assert not lost
