"""Writes what the name servers of steered services need: `python -m stacks.steering FOLDER`.

Reads the steering and the regions that it names; a fault in any of them is told, and nothing is written.
"""

from __future__ import annotations

import sys
from pathlib import Path

from components.errors import RegionError
from components.plan.edges import SteeringPlan, compile_steering
from components.plan.renders.steering import steering_files
from components.spec import load
from components.spec.steering_file import STEERING_FILE, load_steering
from components.words import count
from stacks.project import CATALOGUE, REGIONS, ROOT, region_folder

STEERING = REGIONS / STEERING_FILE


def load_plan() -> SteeringPlan:
    """The plan of the project's own steering."""
    steering = load_steering(STEERING, root=ROOT)
    return compile_steering(steering, [load(region_folder(name), CATALOGUE, project=ROOT) for name in steering.edges])


def main() -> int:
    """Write all files, or say why none was written."""
    if len(sys.argv) != 2:
        print("usage: python -m stacks.steering FOLDER", file=sys.stderr)
        return 2
    folder = Path(sys.argv[1])
    try:
        files = list(steering_files(load_plan()))
    except RegionError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    for path, text in files:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    print(f"wrote {count(len(files), 'file')} to {folder}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
