"""Pages for tests: regions as they are, a change of the lab, and a plan whose every name is an attack."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, TypeVar

from components.plan import RegionPlan, compile_region
from components.plan.consequences import Consequences, consequences, snapshot_of
from components.plan.pending import pending_index
from components.spec import load
from tests.regions import REGIONS, ROOT, Edit, edited_lab, load_lab, plan_of

ATTACK = '"></script></svg><script>window.hacked=1</script><img src=x onerror="window.hacked=1">&lt;'
Thing = TypeVar("Thing")


def region_plan(name: str) -> RegionPlan:
    """The plan of a region before its images are published."""
    region = load(REGIONS / name, REGIONS / "_catalogue", project=ROOT)
    return compile_region(region, pending_index(region))


def lab_change(folder: Path, before: RegionPlan) -> tuple[RegionPlan, Consequences]:
    """The lab with another machine in slot 2, and what that does."""
    edits = [Edit("racks.yaml", "serial: LABR01T02", "serial: LABR01T99")]
    after = plan_of(load_lab(edited_lab(folder, edits)))
    return after, consequences(snapshot_of(before, {}), snapshot_of(after, {}))


def smaller_lab(folder: Path) -> tuple[RegionPlan, Consequences]:
    """The lab without a second rack that it had, none of which had been received."""
    racks = Edit(
        "racks.yaml",
        "racks:\n",
        "racks:\n  - {name: lab-r02, id: 2, profile: nspawn-rack, leaves: [lab-leaf1, lab-leaf2], first_leaf_port: swp5,"
        " image: base, protect: false, trays: [{slot: 1, role: gpu_worker}]}\n",
    )
    before = plan_of(load_lab(edited_lab(folder / "before", [racks])))
    after = plan_of(load_lab(edited_lab(folder / "after", [])))
    return after, consequences(snapshot_of(before, {}), snapshot_of(after, {}))


def hostile(thing: Thing) -> Thing:
    """The same with the attack behind every text that a page shows as it is."""
    return _hostile(thing)


SHOWN_AS_IT_IS = {
    "domain",
    "image",
    "serial",
    "country",
    "kubernetes_version",
    "gpu_model",
    "host",
    "reason",
    "notes",
    "details",
    "effects",
    "how",
    "not_counted",
    "nvlink_domain",
    "model",
}
"""Fields that no other field of a plan refers to, so that they can be anything."""


def _hostile(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changed = {
            field.name: _attacked(field.name, getattr(value, field.name))
            for field in dataclasses.fields(value)
            if field.init
        }
        return dataclasses.replace(value, **changed)
    if isinstance(value, tuple):
        return tuple(_hostile(each) for each in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return value


def _attacked(name: str, value: Any) -> Any:
    if name in SHOWN_AS_IT_IS and isinstance(value, str):
        return value + ATTACK
    if name in SHOWN_AS_IT_IS and isinstance(value, tuple) and value and isinstance(value[0], str):
        return tuple(f"{each}{ATTACK}" for each in value)  # pyright: ignore[reportUnknownVariableType]
    return _hostile(value)
