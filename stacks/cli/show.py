"""`region show`: the compiled region as a screen, as numbers for programs, or as a page with pictures."""

from __future__ import annotations

import io
import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from components.plan.model import RegionPlan
from components.plan.page import render_page, summary_data
from stacks.cli import output, written
from stacks.cli.arguments import Region
from stacks.cli.screen import screen
from stacks.project import load_hardware

WIDTH = 140
"""Columns of a screen that is written to a file."""


class Form(StrEnum):
    """How a region is shown."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"


def show(
    region: Region,
    form: Annotated[
        Form, typer.Option("--format", help="html is one self-contained page with pictures; it goes to --out.")
    ] = Form.TEXT,
    out: Annotated[Path | None, typer.Option("--out", help="File to write instead of the screen.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """The compiled region in numbers and pictures: what is planned, without asking any device."""
    written.refuse_unwritable(out, "--out")
    plan = load_hardware(region)
    form = Form.JSON if as_json else form
    if form is Form.TEXT and out is None:
        output.people.print(screen(plan), highlight=False)
        return
    text = _rendered(plan, form)
    if out is None:
        print(text, end="")
        return
    written.write(out, text)
    if not as_json:
        output.people.print(f"{out}: {out.stat().st_size / 1000:,.0f} kB", highlight=False, soft_wrap=True)


def _rendered(plan: RegionPlan, form: Form) -> str:
    if form is Form.HTML:
        return render_page(plan)
    if form is Form.JSON:
        return json.dumps({"kind": "region", **summary_data(plan)}) + "\n"
    text = io.StringIO()
    Console(file=text, width=WIDTH).print(screen(plan), highlight=False)
    return text.getvalue()
