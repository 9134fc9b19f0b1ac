"""Changes of a description, each from one version to the next: the lab, and Essonne cut down to a few racks."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from components.plan import RegionPlan, compile_region
from components.plan.consequences import Consequences, CostTable, Snapshot, consequences, cost_table, snapshot_of
from components.plan.pending import pending_index
from components.spec import artifacts, load
from stacks.project import ROOT
from tests.regions import ARTIFACTS, REGIONS, Edit

CONTENTS: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "cluster": {
        "validate.yml": {"validate.yml": "1"},
        "bootstrap.yml": {
            "bootstrap.yml": "1",
            **{
                f"roles/{role}": "1" for role in ("base", "frr", "time_sync", "pod_network", "containerd", "kubernetes")
            },
        },
        "cluster.yml": {"cluster.yml": "1", "roles/kubernetes": "1"},
    },
    "runtime": {
        "drivers.yml": {"drivers.yml": "1", "roles/nvidia_driver": "1", "roles/dra_driver": "1"},
        "runtime.yml": {
            "runtime.yml": "1",
            **{f"roles/{role}": "1" for role in ("keda", "keda_http_add_on", "envoy_gateway")},
        },
    },
}
"""Digests that do not change with the roles of today, so that a golden file is about the change only."""

SMALL: tuple[Edit, ...] = (
    Edit("racks.yaml", "ids: 1-250", "ids: 1-4"),
    Edit("racks.yaml", "ids: 251-253", "ids: 9-11"),
    Edit("network.yaml", "spines_per_plane: 24", "spines_per_plane: 14"),
    Edit("network.yaml", "spine_ids: 1-96", "spine_ids: 1-56"),
    Edit("tenants/chat.yaml", "gpus: 8000", "gpus: 128"),
    Edit("tenants/research.yaml", "gpus: 4000", "gpus: 64"),
    Edit("tenants/chat.yaml", "max: 256", "max: 128"),
    Edit("region.yaml", "  claims: {gpus: 18000, megawatts: 40}\n", ""),
)
"""What makes a small region of Essonne's own files: two scalable units, four racks of 18 trays."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One change, and what it is for."""

    base: Base
    before: tuple[Edit, ...] = ()
    """What is needed for the change to be possible."""
    after: tuple[Edit, ...] = ()
    racks: int | None = None
    """Racks that are delivered after it, if others."""
    images: str = "1"
    """Version of the published images after it; 1 before."""
    is_quiet: bool = False
    """Whether it must touch nothing."""


@dataclass(frozen=True)
class Base:
    """Where a scenario starts."""

    region: str
    edits: tuple[Edit, ...] = ()
    racks: int = 0
    """Racks of the series that are delivered."""


LAB = Base("lab")
ESSONNE = Base("essonne", SMALL, racks=4)
FULL = Base("essonne", racks=250)


def write(folder: Path, base: Base, edits: Iterable[Edit] = ()) -> Path:
    """The region's files in a project of their own, with these edits one after the other.

    A file `received` is the list of what was delivered.
    """
    regions = folder / "stacks/regions"
    shutil.copytree(REGIONS / base.region, regions / base.region)
    shutil.copytree(REGIONS / "_catalogue", regions / "_catalogue")
    received = folder / ".region" / base.region / "received.json"
    if base.racks:
        received.parent.mkdir(parents=True)
        received.write_text(json.dumps(delivered(base.racks, (9, 10, 11) if base.edits else (251, 252, 253))))
    for edit in (*base.edits, *edits):
        name = edit.file if edit.file.startswith("_catalogue/") else f"{base.region}/{edit.file}"
        path = received if edit.file == "received" else regions / name
        text = path.read_text() if path.is_file() else ""
        assert not edit.old or text.count(edit.old) == 1, (
            f"{edit.old!r} stands {text.count(edit.old)} times in {edit.file}"
        )
        path.write_text(text.replace(edit.old, edit.new) if edit.old else text + edit.new)
    return folder


def plan_in(folder: Path, region: str, images: str = "1") -> RegionPlan:
    """The plan of a written region, with published images of a version."""
    regions = folder / "stacks/regions"
    spec = load(regions / region, regions / "_catalogue", project=folder)
    index = artifacts.load(ARTIFACTS) if region == "lab" else pending_index(spec)
    published = {
        name: image.model_copy(update={"sha256": hashlib.sha256(f"{name} {images}".encode()).hexdigest()})
        for name, image in index.deploy_images.items()
    }
    return compile_region(spec, index.model_copy(update={"deploy_images": published}))


def plans(folder: Path, scenario: Scenario) -> tuple[RegionPlan, RegionPlan]:
    """Before and after."""
    base = scenario.base
    later = replace(base, racks=base.racks if scenario.racks is None else scenario.racks)
    before = plan_in(write(folder / "before", base, scenario.before), base.region)
    edits = (*scenario.before, *scenario.after)
    return before, plan_in(write(folder / "after", later, edits), base.region, scenario.images)


def delivered(
    racks: int, control: Iterable[int] = (9, 10, 11), trays: int = 18
) -> dict[str, dict[str, dict[str, object]]]:
    """Made-up serial numbers and MACs, as a supplier's list has them."""
    found = {
        f"ess-r{rack:03d}": {str(slot): _machine(rack, slot, ports=4) for slot in range(1, trays + 1)}
        for rack in range(1, racks + 1)
    }
    return found | {f"ess-c{rack:03d}": {"1": _machine(rack, 1, ports=3)} for rack in control}


def _machine(rack: int, slot: int, *, ports: int) -> dict[str, object]:
    macs = [f"02:e5:{rack >> 8:02x}:{rack & 255:02x}:{slot:02x}:{port:02x}" for port in range(ports)]
    return {"serial": f"ESS{rack:03d}T{slot:02d}", "macs": macs}


@cache
def costs() -> CostTable:
    """The project's table, without figures of runs."""
    from ruamel.yaml import YAML

    return cost_table(YAML(typ="safe", pure=True).load((ROOT / "stacks/regions/_durations.yaml").read_text()))


def snapshot(plan: RegionPlan) -> Snapshot:
    """With the playbooks of CONTENTS."""
    return snapshot_of(plan, CONTENTS)


def change(old: RegionPlan | None, new: RegionPlan) -> Consequences:
    """What becomes of the region."""
    return consequences(snapshot(old) if old else None, snapshot(new), costs=costs())
