"""Arguments that several commands take, and the layers that a command is about."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from components.errors import Problem, SpecError
from stacks.project import LAYERS

Region = Annotated[str, typer.Argument(metavar="REGION", help="Name of a folder below stacks/regions.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON lines on standard output, for machines.")]
Layers = Annotated[list[str] | None, typer.Option("--layer", help="Only this layer; may be given more than once.")]

_SIMULATED, _DELIVERED = "sim:", "delivered:"


@dataclass(frozen=True)
class SimulatedFleet:
    """Machines that a program plays, as a scenario says."""

    scenario: Path


@dataclass(frozen=True)
class DeliveredFleet:
    """Real machines, as their supplier lists them."""

    folder: Path
    """What came with them: `fleet.json`, `firmware/`, `ca.crt`."""


def chosen(layers: list[str] | None) -> tuple[str, ...]:
    """These layers, or all, in the order in which they depend on each other."""
    unknown = set(layers or ()) - set(LAYERS)
    if unknown:
        raise typer.BadParameter(f"unknown layer {', '.join(sorted(unknown))}; layers are {', '.join(LAYERS)}")
    return tuple(layer for layer in LAYERS if not layers or layer in layers)


def fleet_of(text: str) -> SimulatedFleet | DeliveredFleet:
    """What `--fleet` names. Raises SpecError for what is neither `sim:FILE` nor `delivered:FOLDER`."""
    if text.startswith(_DELIVERED):
        folder = Path(text.removeprefix(_DELIVERED))
        if folder.is_dir():
            return DeliveredFleet(folder.resolve())
        raise _no_fleet(f"there is no folder {folder}", text)
    return SimulatedFleet(scenario_of(text))


def scenario_of(text: str) -> Path:
    """The file of a simulated fleet's scenario. Raises SpecError for anything but `sim:FILE`."""
    path = Path(text.removeprefix(_SIMULATED))
    if not text.startswith(_SIMULATED):
        raise _no_fleet("it is said neither how it is simulated nor what was delivered", text)
    if not path.is_file():
        raise _no_fleet(f"there is no file {path}", text)
    return path.resolve()


def _no_fleet(message: str, found: str) -> SpecError:
    problem = Problem(
        path="--fleet",
        message=message,
        found=found,
        allowed="sim:SCENARIO.yaml, how a simulated fleet behaves; for `region up` also delivered:FOLDER, what came"
        " with real machines",
        remedy="docs/examples/simulated-fleet.yaml is a scenario; docs/guides/bring-up.md says what the folder holds",
    )
    return SpecError("there is no such fleet", [problem])
