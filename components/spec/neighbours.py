"""Services over several regions: what a region takes from the files of the regions beside it, and what it gives them.

A service that lists several regions is declared once, in its tenant's file of one of them, its home. Every other
region that is listed takes it from there when it is read, into its own tenant of that name: quota, people and keys
stay that region's. The class of the service is its home's.

Only tenants' files of other regions are read, and of those only what is shared: a fault elsewhere in another
region is its own matter. A region that is read alone, such as a recorded one, has no neighbours.
"""

from __future__ import annotations

import copy
import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from components.errors import Problem
from components.spec.limits import UNION
from components.spec.position import Location, Position, Positions
from components.spec.source import read

_EU = "eu"


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A service that another region declares for this one."""

    tenant: str
    service: dict[str, Any]
    places: Mapping[Location, Position]
    """Locations below the service."""


def neighbours_of(folder: Path) -> tuple[Path, ...]:
    """Folders of the regions beside this one."""
    here = folder.resolve()
    return tuple(
        path
        for path in sorted(here.parent.iterdir() if here.parent.is_dir() else ())
        if path.is_dir() and path != here and not path.name.startswith(("_", ".")) and any(path.glob("*.yaml"))
    )


def taken(folder: Path, shown: Callable[[Path], str]) -> Iterator[Taken]:
    """Services that list this region and whose home is another one, in the order of regions and files."""
    here = folder.resolve().name
    for neighbour in neighbours_of(folder):
        for path in sorted((neighbour / "tenants").glob("*.yaml")):
            if here not in path.read_text(encoding="utf-8", errors="replace"):
                continue
            document = read(path, shown_as=shown(path))
            for number, service in enumerate(_services(document.data)):
                listed = _regions(service)
                if here in listed and neighbour.name in listed:
                    at: Location = ("services", number)
                    places = {key[2:]: place for key, place in document.places.items() if key[:2] == at}
                    whole = copy.deepcopy(service)
                    whole.setdefault("sovereignty", document.data.get("sovereignty", _EU))
                    yield Taken(tenant=path.stem, service=whole, places=places)


def problems(
    folder: Path, tenants: list[dict[str, Any]], positions: Positions, sites: Mapping[str, str]
) -> Iterator[Problem]:
    """What is wrong with the regions that the services of this one list."""
    here, neighbours = folder.resolve().name, {path.name: path for path in neighbours_of(folder)}
    if not neighbours:
        return
    for t, tenant in enumerate(tenants):
        for s, service in enumerate(_services(tenant)):
            at: Location = ("tenants", t, "services", s, "regions")
            listed = _regions(service)
            if listed and here not in listed:
                yield positions.problem(
                    at,
                    "service-region-home",
                    "a service is declared in one of the regions that it runs in",
                    found=", ".join(listed),
                    allowed=f"a list with {here}",
                    remedy=f"add {here}, or move the service to the tenant's file of one that it lists",
                )
            for name in listed:
                if name != here:
                    yield from _listed(name, neighbours, tenant, service, at, positions, sites)


def _listed(
    name: str,
    neighbours: Mapping[str, Path],
    tenant: dict[str, Any],
    service: dict[str, Any],
    at: Location,
    positions: Positions,
    sites: Mapping[str, str],
) -> Iterator[Problem]:
    known = ", ".join(sorted(neighbours))
    folder = neighbours.get(name)
    if folder is None:
        close = difflib.get_close_matches(name, neighbours, n=1)
        remedy = f"did you mean {close[0]}?" if close else "describe the region, or take it off the list"
        yield positions.problem(
            at, "service-region-unknown", "there is no such region", found=name, allowed=known, remedy=remedy
        )
        return
    country = _country(folder, sites)
    is_eu = service.get("sovereignty", tenant.get("sovereignty", _EU)) == _EU
    if is_eu and country not in UNION:
        yield positions.problem(
            at,
            "service-region-law",
            f"{service.get('name')} is of class EU: placed, cached and answered within the Union only",
            found=f"{name} in {country}",
            allowed="regions of the EU and the EEA",
            remedy="take the region off the list; from the Union, Asia is never near: see latency-budget",
        )
    owner = str(tenant.get("tenant"))
    if not (folder / "tenants" / f"{owner}.yaml").is_file():
        yield positions.problem(
            at,
            "service-region-tenant",
            f"{name} has no tenant {owner}, so nothing there has a quota for {service.get('name')}",
            found=f"no {owner}.yaml in {name}/tenants",
            allowed=", ".join(sorted(path.stem for path in (folder / "tenants").glob("*.yaml")))
            or "no tenant is there",
            remedy=f"write {name}/tenants/{owner}.yaml with a quota, or take the region off the list",
        )


def _country(folder: Path, sites: Mapping[str, str]) -> str:
    """Of a region, as its own file says; the catalogue's where that says nothing."""
    for path in sorted(folder.glob("*.yaml")):
        if "country" in (text := path.read_text(encoding="utf-8", errors="replace")) and "site" in text:
            site = read(path, shown_as=path.name).data.get("site")
            if isinstance(site, dict) and isinstance(country := cast("dict[str, Any]", site).get("country"), str):
                return country
    return sites.get(folder.name, "unknown")


def _services(tenant: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Those that are mappings at all; the rest is told by the model. Places count from the written list."""
    services = tenant.get("services")
    if not isinstance(services, list):
        return []
    return [cast("dict[str, Any]", each) if isinstance(each, dict) else {} for each in cast("list[object]", services)]


def _regions(service: Mapping[str, Any]) -> list[str]:
    regions = service.get("regions")
    return (
        [each for each in cast("list[object]", regions) if isinstance(each, str)] if isinstance(regions, list) else []
    )
