"""Arguments that several commands take, and the layers that a command is about."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from components.errors import Problem, SpecError
from stacks.project import LAYERS

Region = Annotated[str, typer.Argument(help="Name of a folder below stacks/regions.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON lines on standard output, for machines.")]
Layers = Annotated[list[str] | None, typer.Option("--layer", help="Only this layer; may be given more than once.")]

_SIMULATED = "sim:"


def chosen(layers: list[str] | None) -> tuple[str, ...]:
    """These layers, or all, in the order in which they depend on each other."""
    unknown = set(layers or ()) - set(LAYERS)
    if unknown:
        raise typer.BadParameter(f"unknown layer {', '.join(sorted(unknown))}; layers are {', '.join(LAYERS)}")
    return tuple(layer for layer in LAYERS if not layers or layer in layers)


def scenario_of(fleet: str) -> Path:
    """The scenario's file. Raises SpecError for anything but `sim:FILE`."""
    path = Path(fleet.removeprefix(_SIMULATED))
    is_simulated = fleet.startswith(_SIMULATED)
    if not is_simulated or not path.is_file():
        raise SpecError(
            "there is no such fleet",
            [
                Problem(
                    path="--fleet",
                    message=f"there is no file {path}" if is_simulated else "only a simulated fleet is known",
                    found=fleet,
                    allowed="sim:SCENARIO.yaml, a file that says how the fleet behaves",
                    remedy="docs/examples/simulated-fleet.yaml is one; docs/guides/fleet.md tells what it may say",
                )
            ],
        )
    return path.resolve()
