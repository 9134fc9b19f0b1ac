"""The questions before what cannot be taken back, and before what others feel."""

from __future__ import annotations

import sys

import typer

from stacks.cli import output


def confirm(region: str) -> None:
    """Ask for the region's name; ends the command if it is not given, also where nobody can answer."""
    if not sys.stdin.isatty() or typer.prompt("Type the name of the region to go on", err=True) != region:
        output.people.print("nothing was touched; --yes answers for you")
        raise typer.Exit(1)


def agree(what: str, yes: bool) -> None:
    """Ask whether this is to be done, unless `yes` says so; ends the command if not, also where nobody can answer."""
    if not yes and (not sys.stdin.isatty() or not typer.confirm(what, err=True)):
        output.people.print("nothing was touched; --yes answers for you")
        raise typer.Exit(1)
