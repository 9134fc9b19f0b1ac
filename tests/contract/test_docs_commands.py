"""Commands that the documentation shows are commands that there are."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import typer.main
from typer._click.exceptions import BadOptionUsage, MissingParameter, UsageError

from stacks.cli.main import app
from tests.e2e import guides
from tests.e2e.process import ROOT

PAGES = sorted(
    path
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("**/*.md"))
    if path.parent.name != "reference"  # generated from the commands themselves
)
SHELL = ("", "sh", "console")
"""Languages of blocks that hold what is typed."""
FENCED = re.compile(r"^```([a-z]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CALL = re.compile(r"(?:^|[;&|(]\s*|^\$ )(region [^\n]*)", re.MULTILINE)
INLINE = re.compile(r"`(region [^`\n]+)`")


def fenced(text: str) -> Iterator[str]:
    """What a page shows to be typed as it stands."""
    for language, body in FENCED.findall(text):
        if language in SHELL:
            yield from CALL.findall(body.replace("\\\n", ""))


def mentioned(text: str) -> Iterator[str]:
    """What a sentence names; it may leave away what it does not speak of."""
    yield from INLINE.findall(FENCED.sub("", text))


def words(command: str) -> list[str]:
    """Words of the command, up to what the shell has next. A placeholder stands for a value."""
    lexer = shlex.shlex(re.sub(r"<([a-z]+)>", r"\1", command), posix=True, punctuation_chars="();<>|&")
    lexer.whitespace_split = True
    found: list[str] = []
    for word in lexer:
        if word[0] in "();<>|&":
            break
        found.append("1" if word == "N" else word)
    return found


def commands_of(group: Any) -> dict[str, Any]:
    """Its commands; none of what is itself a command."""
    return cast("dict[str, Any]", vars(group).get("commands", {}))


def refusal(text: str, *, is_whole: bool) -> str | None:
    """Why the command line does not take it; None where it does."""
    command, rest, path = typer.main.get_command(app), words(text)[1:], "region"
    while commands := commands_of(command):
        if not rest:
            return f"`{path}` has commands of its own" if is_whole else None
        name = rest.pop(0)
        if name not in commands:
            return f"`{path}` has no command {name}"
        command, path = commands[name], f"{path} {name}"
    try:
        command.make_context(path, rest)
    except (MissingParameter, BadOptionUsage) as error:
        return error.format_message() if is_whole else None
    except UsageError as error:
        return error.format_message()
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_command_of_region_that_a_page_shows_is_taken_by_the_command_line(page: Path) -> None:
    text = page.read_text()
    refused = [
        f"{command.strip()}: {why}"
        for is_whole, commands in ((True, fenced(text)), (False, mentioned(text)))
        for command in commands
        if (why := refusal(command, is_whole=is_whole))
    ]
    assert not refused, "\n".join(refused)


def test_the_pages_show_commands() -> None:
    shown = [command for page in PAGES for command in (*fenced(page.read_text()), *mentioned(page.read_text()))]
    assert len(shown) > 100
    assert len({words(command)[1] for command in shown}) > 15


@pytest.mark.parametrize(
    ("command", "is_whole", "why"),
    [
        ("region bring lab", False, "`region` has no command bring"),
        ("region service stop lab a/b", False, "`region service` has no command stop"),
        ("region up lab --force", False, "No such option"),
        ("region show lab --format pdf", False, "'pdf' is not one of"),
        ("region up lab paris", False, "unexpected extra argument"),
        ("region up", True, "Missing argument"),
        ("region service", True, "has commands of its own"),
        ("region up", False, None),
        ("region up --plan", False, None),
        ("region tenant hold <region> <tenant>", True, None),
        ("region service scale REGION TENANT/SERVICE --replicas N", True, None),
        ('region env)"; pulumi preview -s lab.fabric', True, None),
        ("region preview lab --format html > change.html    # 'a page", True, None),
    ],
)
def test_a_command_that_there_is_not_is_refused_and_a_placeholder_is_not(
    command: str, is_whole: bool, why: str | None
) -> None:
    found = refusal(command, is_whole=is_whole)
    assert found == why if why is None else why in (found or "")


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "guides").glob("*.md")), ids=lambda path: path.stem)
def test_the_blocks_of_a_guide_can_be_told_and_one_with_a_console_is_run_by_its_test(path: Path) -> None:
    commands = [step for step in guides.read(path.read_text()) if isinstance(step, guides.Command)]
    assert bool(commands) == (path.stem in guides.GUIDES)
