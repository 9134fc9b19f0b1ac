"""`region preview` and `region diff`: what a change does, without touching anything."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import typer

from components.errors import Problem, SpecError
from stacks.cli import output, plan_file, written
from stacks.cli.arguments import AsJson, Layers, Region, chosen
from stacks.cli.layers import Operation, Phase, State, raise_for_failures, run_layers
from stacks.cli.preview_json import document
from stacks.cli.preview_markdown import markdown
from stacks.cli.preview_result import Preview
from stacks.cli.preview_run import from_region, from_state, from_version
from stacks.cli.preview_text import screen


class Format(StrEnum):
    """How a preview is shown."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"
    HTML = "html"


def _html(preview: Preview) -> str:
    from components.plan.page import render_page  # many assets, for one format

    return render_page(preview.plan, preview.consequences)


def _json(preview: Preview) -> str:
    return json.dumps(document(preview), indent=2) + "\n"


WRITTEN: Mapping[Format, Callable[[Preview], str]] = MappingProxyType(
    {Format.MARKDOWN: markdown, Format.JSON: _json, Format.HTML: _html}
)
"""Formats that go to standard output, for other programs; the others are for the terminal."""

RESOURCES = 20
"""Lines of one layer on the terminal."""

Form = Annotated[
    Format, typer.Option("--format", help="markdown is the comment for a pull request, html a page of pictures.")
]
Against = Annotated[
    str | None,
    typer.Option(
        "--against", help="A commit, or a folder with another version of the project, in the place of the state."
    ),
]


def preview(
    region: Region,
    layer: Layers = None,
    as_json: AsJson = False,
    form: Form = Format.TEXT,
    against: Against = None,
    save: Annotated[Path | None, typer.Option("--save", help="Write the plan that `up --plan` holds to.")] = None,
) -> None:
    """Show what `up` would do to the physical world and to each layer, most dangerous first. Touches nothing."""
    layers = chosen(layer)
    written.refuse_unwritable(save, "--save")
    if against is not None:
        if save is not None:
            raise typer.BadParameter("a plan is made from the state: --save and --against exclude each other")
        _show(from_version(region, against).preview(), form, as_json)
        return
    change = from_state(region, layers)
    with tempfile.TemporaryDirectory(prefix="gpuregion-") as folder:
        plans = {name: Path(folder) / f"{name}.json" for name in layers} if save else {}
        with output.Progress(f"region preview {region}", layers, as_json=False) as progress:
            phases = run_layers(region, layers, Operation.PREVIEW, progress.report, plans=plans)
        _show(change.preview(phases), form, as_json)
        if save and not any(phase.state is State.FAILED for phase in phases):
            plan_file.write(plan_file.plan_of(change, layers, plans), save)
            output.people.print(f"saved {save}: region up {region} --plan {save}", highlight=False)
    raise_for_failures(phases)


def diff(
    one: Annotated[str, typer.Argument(metavar="REGION", help="Region to go from; with --against, the only one.")],
    other: Annotated[str | None, typer.Argument(metavar="[OTHER]", help="Region to go to.")] = None,
    form: Form = Format.TEXT,
    against: Against = None,
) -> None:
    """Show what going from one region, or one version of it, to another would do. Reads descriptions only."""
    if (other is None) == (against is None):
        raise SpecError(
            "two sides are needed to tell what differs",
            [
                Problem(
                    path="diff",
                    message="one side is missing, or there are three",
                    allowed="region diff A B, or region diff A --against COMMIT",
                    rule="diff-sides",
                )
            ],
        )
    change = from_region(one, other) if other else from_version(one, against or "")
    _show(change.preview(), form)


def _show(preview: Preview, form: Format, as_json: bool = False) -> None:
    if as_json:
        print(json.dumps(document(preview)))  # one line: what fails is told on the next
        return
    if form in WRITTEN:
        print(WRITTEN[form](preview), end="")
        return
    output.people.print(screen(preview), highlight=False)
    if preview.phases:
        output.show_phases(f"region preview {preview.region}", list(preview.phases), as_json=False)
        _resources(preview.phases)


def _resources(phases: Sequence[Phase]) -> None:
    """Pulumi's own words, at the end: the rest says what they mean."""
    for phase in phases:
        for line in phase.details[:RESOURCES]:
            output.people.print(f"  {phase.layer}: {line}", highlight=False, markup=False)
        if (hidden := len(phase.details) - RESOURCES) > 0:
            output.people.print(f"  {phase.layer}: and {hidden} more", highlight=False)
