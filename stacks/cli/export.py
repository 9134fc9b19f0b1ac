"""`region export`: what a region looks like to other programs.

Owns the choice between printing and writing. Views are one JSON document; renders and exports are files.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from components.clients.file_tree import write_tree
from components.errors import Problem, SpecError
from components.plan.dns import records
from components.plan.exports import EXPORTS
from components.plan.inventory import ansible_inventory
from components.plan.model import RegionPlan
from components.plan.renders import RENDERS, Files, Render
from components.plan.wiring import wiring
from components.words import count
from stacks.cli import output
from stacks.cli.arguments import Region
from stacks.project import load_hardware, load_plan

SHOWN = 5
ALL = "all"


@dataclasses.dataclass(frozen=True)
class View:
    """One JSON document of a region."""

    render: Callable[[RegionPlan], Any]
    load: Callable[[str], RegionPlan] = load_plan


VIEWS = {
    # the datacenter is built from these before anything is published in it
    "wiring": View(wiring, load_hardware),
    "dns": View(records, load_hardware),
    "inventory": View(ansible_inventory),
    "plan": View(dataclasses.asdict),
}
FILES: dict[str, Render] = {**RENDERS, **EXPORTS}


def export(
    region: Region,
    what: Annotated[str, typer.Argument(help=f"One of {', '.join((*VIEWS, *FILES))}; with --out also {ALL}.")],
    out: Annotated[Path | None, typer.Option("--out", help="Write the files here, all or none of them.")] = None,
    only: Annotated[str | None, typer.Option("--only", help="Print only this file of several.")] = None,
) -> None:
    """Print a view of the region for other programs, or write all its files of one kind."""
    if what in VIEWS and out is None:
        view = VIEWS[what]
        print(json.dumps(view.render(view.load(region)), indent=2, sort_keys=True, default=str))
    elif out is not None and (what == ALL or what in FILES):
        plan = _load(region, FILES.values() if what == ALL else [FILES[what]])
        files = _every(plan) if what == ALL else FILES[what].files(plan)
        written = write_tree(out, files, made_by=f"region export {region} {what}")
        output.people.print(count(written, f"file is in {out}", f"files are in {out}"))
    elif what in FILES:
        print(_one(what, dict(FILES[what].files(_load(region, [FILES[what]]))), only), end="")
    else:
        raise _unknown(what, out)


def _load(region: str, renders: Any) -> RegionPlan:
    return load_plan(region) if any(render.needs_artifacts for render in renders) else load_hardware(region)


def _every(plan: RegionPlan) -> Files:
    for name, render in FILES.items():
        yield from _below(name, render.files(plan))


def _below(folder: str, files: Files) -> Iterator[tuple[str, str]]:
    return ((f"{folder}/{path}", text) for path, text in files)


def _one(what: str, files: dict[str, str], only: str | None) -> str:
    if only in files:
        return files[only]
    if only is None and len(files) == 1:
        return next(iter(files.values()))
    if not files:
        raise SpecError(
            f"{what} holds nothing of this region yet",
            [
                Problem(
                    path=what,
                    message="the region has none of the things that this view is of",
                    remedy="machines are told once they are received: see `received` in the region's description",
                )
            ],
        )
    paths = list(files)
    more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    raise SpecError(
        f"{what} is {count(len(paths), 'file')}",
        [
            Problem(
                path="--only",
                message="one file is printed at a time" if only is None else "there is no such file",
                found=only,
                allowed=", ".join(paths[:SHOWN]) + more,
                remedy="name one with --only, or write all with --out FOLDER",
            )
        ],
    )


def _unknown(what: str, out: Path | None) -> SpecError:
    if what in VIEWS or what == ALL:
        message = "a view is printed" if out else "all of them are written to a folder"
        remedy = "leave --out away" if out else "give --out FOLDER"
    else:
        message, remedy = "there is no such view or render", None
    allowed = ", ".join((*FILES, ALL) if out else (*VIEWS, *FILES))
    return SpecError(
        "nothing was exported", [Problem(path="what", message=message, found=what, allowed=allowed, remedy=remedy)]
    )
