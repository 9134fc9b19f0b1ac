"""Packages of a whole firmware bundle, one for each kind of endpoint, as a bring-up pushes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from lab.fleet import package
from lab.fleet.errors import FleetError
from lab.fleet.hardware import HARDWARE
from lab.fleet.kinds import Kind


def write_bundle(versions: Mapping[str, Mapping[str, str]], out: Path) -> None:
    """`KIND.fwpkg` for each kind; `versions`: kind -> component of its firmware inventory -> version."""
    made: dict[Kind, bytes] = {}
    problems: list[str] = []
    for name, wanted in versions.items():
        if name not in list(Kind):
            problems.append(f"{name}: no kind of endpoint")
            continue
        known = {c.id: c.identifier for c in HARDWARE[Kind(name)].components if c.identifier is not None}
        problems += [f"{name}.{id}: cannot be pushed over this BMC" for id in wanted if id not in known]
        images = {known[id]: version for id, version in wanted.items() if id in known}
        made[Kind(name)] = package.write(images, name=name)
    if problems:
        raise FleetError("the bundle does not fit the simulated hardware", details=problems)
    out.mkdir(parents=True, exist_ok=True)
    for kind, data in made.items():
        (out / f"{kind}.fwpkg").write_bytes(data)


def read_versions(path: Path) -> dict[str, dict[str, str]]:
    """The file of versions."""
    try:
        found: dict[str, dict[str, str]] = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise FleetError(f"{path} cannot be read", found=str(error)) from error
    return found
