"""Regions for tests of networks: Essonne and its like, with other racks and other islands, beside the rules."""

from __future__ import annotations

import copy
import json
from collections.abc import Collection
from functools import cache
from typing import Any

from components.plan import RegionPlan, compile_region
from components.plan.networks.model import ComputePlan
from components.plan.pending import pending_index
from components.spec import Region, load
from components.spec.expand import expand
from components.spec.position import Positions
from components.spec.source import read
from tests.regions import REGIONS, ROOT


@cache
def described(name: str) -> Region:
    """The region as it is described."""
    return load(REGIONS / name, REGIONS / "_catalogue", project=ROOT)


@cache
def written(name: str) -> dict[str, Any]:
    """What its files say, with series as they are, and the catalogue."""
    data: dict[str, Any] = {}
    for path in sorted((REGIONS / name).glob("*.yaml")):
        data |= read(path, shown_as=path.name).data
    catalogue = described(name).catalogue
    used = {series["profile"] for series in data["racks"]}
    document = catalogue.model_dump(mode="json", exclude_unset=True, include={"racks", "switches", "sources"})
    document["racks"] = [rack for rack in document["racks"] if rack["profile"] in used]
    return data | {"catalogue": document}


def region_of(
    name: str, racks: Collection[int], island_units: int | None = None, slots: Collection[int] | None = None
) -> Region:
    """The region with these ids in its series of GPU racks, which stands first; perhaps with some slots only, and
    with islands of another size."""
    data = copy.copy(written(name))
    series = dict(data["racks"][0], ids=",".join(map(str, sorted(racks))))
    if slots is not None:
        series |= {"slots": ",".join(map(str, sorted(slots))), "spares": 0}
    data["racks"] = [series, *data["racks"][1:]]
    if island_units:
        data["scalable_unit"] = data["scalable_unit"] | {"island_units": island_units}
    long = expand(data, Positions(), {})
    assert not long.problems
    return Region.model_validate_json(json.dumps(long.data), strict=True)


def plan_of(region: Region) -> RegionPlan:
    """Its plan, before anything is published."""
    return compile_region(region, pending_index(region))


def compute_of(plan: RegionPlan) -> ComputePlan:
    """Its compute network."""
    assert plan.networks.compute is not None
    return plan.networks.compute
