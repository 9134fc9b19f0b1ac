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
from components.spec.steering import Steering


def load_steering(path: Path, *, root: Path) -> Steering:
    """The file's content; problems name it relative to `root`. Raises SpecError with every problem."""
    shown = str(path.resolve().relative_to(root.resolve()))
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
