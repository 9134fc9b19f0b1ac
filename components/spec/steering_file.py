"""Reads the steering, or says everything that is wrong with the file at once."""

from __future__ import annotations

import json
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from components.errors import Problem, SpecError
from components.spec.position import Positions
from components.spec.problems import problems_of
from components.spec.source import read
from components.spec.steering import Steered, Steering

STEERING_FILE = "_steering.yaml"
"""Beside the folders of the regions: it is one for all of them."""


def load_steering(path: Path, *, root: Path) -> Steering:
    """The file's content; problems name it relative to `root`. Raises SpecError with every problem."""
    full, above = path.resolve(), root.resolve()
    shown = str(full.relative_to(above) if full.is_relative_to(above) else full)
    problems: list[Problem]
    if not path.is_file():
        missing = Problem(
            path=shown,
            message="there is no such file, so no service has a name over several regions",
            remedy=f"write {shown}; docs/guides/edges.md says what stands in it",
            rule="steering-missing",
        )
        raise SpecError(f"{shown}: 1 problem; nothing has been touched", [missing])
    document = read(path, shown_as=shown)
    problems = list(document.problems)
    steering: Steering | None = None
    try:
        steering = Steering.model_validate_json(json.dumps(document.data), strict=True)
    except ValidationError as error:
        problems += problems_of(error, Steering, Positions(MappingProxyType(document.places)))
    if problems or steering is None:
        raise SpecError(f"{shown}: {len(problems)} problems; nothing has been touched", problems)
    return steering


def load_steered(region: str, regions: Path, *, root: Path) -> Steered | None:
    """What the steering beside the regions asks of one of them; None where it is no edge. Raises SpecError."""
    path = regions / STEERING_FILE
    steering = load_steering(path, root=root) if path.is_file() else None
    if steering is None or region not in steering.edges:
        return None
    return Steered(domain=steering.domain, health_path=steering.health.path)
