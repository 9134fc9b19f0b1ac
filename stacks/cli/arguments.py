"""Arguments that several commands take, and the layers that a command is about."""

from __future__ import annotations

from typing import Annotated

import typer

from stacks.project import LAYERS

Region = Annotated[str, typer.Argument(help="Name of a folder below stacks/regions.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON lines on standard output, for machines.")]
Layers = Annotated[list[str] | None, typer.Option("--layer", help="Only this layer; may be given more than once.")]


def chosen(layers: list[str] | None) -> tuple[str, ...]:
    """These layers, or all, in the order in which they depend on each other."""
    unknown = set(layers or ()) - set(LAYERS)
    if unknown:
        raise typer.BadParameter(f"unknown layer {', '.join(sorted(unknown))}; layers are {', '.join(LAYERS)}")
    return tuple(layer for layer in LAYERS if not layers or layer in layers)
