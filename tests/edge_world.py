"""Regions with services that run in several of them: the repository's own, with a tenant `shop` in four of them.

The description is the project's; only the tenant is added, in a copy.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from components.plan import RegionPlan, compile_region
from components.plan.edges import SteeringPlan, compile_steering
from components.plan.pending import pending_index
from components.spec import Region, load
from components.spec.steering import Steering
from components.spec.steering_file import load_steering
from tests.regions import REGIONS

QUOTA = "quota: {pods: 20, gpus: 0}\n"
SERVICES = """\
  - {name: near, image: vllm, sovereignty: any, regions: [paris, singapore, tokyo], scaling: {min: 0, max: 2}}
  - {name: far, image: vllm, sovereignty: any, regions: [paris, essonne], scaling: {min: 0, max: 2}}
  - {name: ours, image: vllm, regions: [paris, essonne], scaling: {min: 0, max: 2}}
  - {name: alone, image: vllm, scaling: {min: 0, max: 2}}
"""
"""`near` and `far` may be anywhere, `ours` is of class EU, `alone` is of Paris only."""
REGION_NAMES = ("paris", "essonne", "singapore", "tokyo")


def project(folder: Path, services: str = SERVICES, owners: tuple[str, ...] = REGION_NAMES) -> Path:
    """Folder of the regions in a copy; `owners` have the tenant, and Paris declares its services."""
    regions = folder / "stacks/regions"
    for name in ("_catalogue", *REGION_NAMES):
        shutil.copytree(REGIONS / name, regions / name)
    shutil.copy(REGIONS / "_steering.yaml", regions)
    for name in owners:
        text = f"tenant: shop\n{QUOTA}" + (f"services:\n{services}" if name == "paris" else "")
        (regions / name / "tenants/shop.yaml").write_text(text)
    return regions


def region(regions: Path, name: str) -> Region:
    """One of them."""
    return load(regions / name, regions / "_catalogue")


def all_regions(regions: Path) -> dict[str, Region]:
    """All of them, by name."""
    return {name: region(regions, name) for name in REGION_NAMES}


def steering_of(regions: Path) -> Steering:
    """The steering of the copy."""
    return load_steering(regions / "_steering.yaml", root=regions.parents[1])


def planned(found: Region) -> RegionPlan:
    """A region's own plan, as if all its images were published."""
    return compile_region(found, pending_index(found))


def plan_of(steering: Steering, regions: Mapping[str, Region]) -> SteeringPlan:
    """Its plan."""
    return compile_steering(steering, tuple(regions.values()))
