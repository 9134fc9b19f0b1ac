"""Rules on switches, power units, firmware, software sets and latencies."""

from __future__ import annotations

import math
from collections.abc import Iterator

from components.spec.catalogue.catalogue import Catalogue
from components.spec.catalogue.check import check
from components.spec.fault import Fault, unknown


@check("switch-port-names", partial=True)
def port_names_are_distinct(catalogue: Catalogue) -> Iterator[Fault]:
    """A switch's port names differ from port to port, and parts of split ports have names too."""
    for index, switch in enumerate(catalogue.switches):
        at = ("catalogue", "switches", index)
        by_cage = "{cage}" in switch.port_name and (switch.ports_per_cage == 1 or "{lane}" in switch.port_name)
        if "{port}" not in switch.port_name and not by_cage:
            yield Fault(
                at=(*at, "port_name"),
                message=f"two ports of {switch.switch} would have the same name",
                found=switch.port_name,
                allowed="{port}, or {cage} with {lane}",
                remedy="write the name as the switch's system does",
            )
        if bool(switch.breakouts) != (switch.lane_name is not None):
            yield Fault(
                at=(*at, "breakouts" if switch.breakouts else "lane_name"),
                message=f"{switch.switch} splits ports without a name for the parts, or names parts of whole ports",
                allowed="`breakouts` and `lane_name` together",
                remedy="add the missing one, or remove the other",
            )
        if switch.ports % switch.ports_per_cage:
            yield Fault(
                at=(*at, "ports"),
                message=f"the ports of {switch.switch} do not fill its connectors",
                found=f"{switch.ports} ports, {switch.ports_per_cage} in each",
                remedy="correct one of them",
            )


@check("breakout-speed", partial=True)
def breakouts_fit_the_port(catalogue: Catalogue) -> Iterator[Fault]:
    """The parts of a split port are together no faster than the port."""
    for index, switch in enumerate(catalogue.switches):
        for place, breakout in enumerate(switch.breakouts):
            if breakout.lanes * breakout.speed_gbps > switch.speed_gbps:
                yield Fault(
                    at=("catalogue", "switches", index, "breakouts", place),
                    message=f"the parts of a split port of {switch.switch} are faster than the port",
                    found=f"{breakout.lanes} x {breakout.speed_gbps:g} Gbit/s",
                    allowed=f"{switch.speed_gbps:g} Gbit/s together",
                    remedy="correct the split",
                )


@check("supply-sum", partial=True)
def supplies_add_up(catalogue: Catalogue) -> Iterator[Fault]:
    """A power shelf gives what its supplies give together."""
    for index, unit in enumerate(catalogue.power_units):
        if unit.supplies is None or unit.supply_kw is None:
            continue
        total = unit.supplies * unit.supply_kw
        if not math.isclose(total, unit.kw):
            yield Fault(
                at=("catalogue", "power_units", index, "kw"),
                message=f"{unit.power_unit} does not give what its supplies give",
                found=f"{unit.kw:g} kW",
                allowed=f"{unit.supplies} x {unit.supply_kw:g} kW = {total:g} kW",
                remedy="correct one of them",
            )


@check("firmware-part", partial=True)
def inventories_name_parts(catalogue: Catalogue) -> Iterator[Fault]:
    """Every part that a firmware inventory stands for has a version."""
    for index, baseline in enumerate(catalogue.baselines):
        for endpoint, members in baseline.inventory.items():
            for id, part in members.items():
                if part not in baseline.parts:
                    at = ("catalogue", "baselines", index, "inventory", endpoint.value, id)
                    yield unknown(at, "firmware part", part, baseline.parts, "the baseline's `parts`")


@check("imex-version", partial=True)
def companions_match_the_driver(catalogue: Catalogue) -> Iterator[Fault]:
    """IMEX and the fabric manager have exactly the driver's version: others refuse to start, or fail silently."""
    for index, each in enumerate(catalogue.software):
        for key in ("imex", "fabric_manager"):
            version = getattr(each, key)
            if version is not None and version != each.driver:
                yield Fault(
                    at=("catalogue", "software", index, key),
                    message=f"{key} of {each.software} is not of the driver's version",
                    found=version,
                    allowed=each.driver,
                    remedy="take both from one driver release",
                )


@check("driver-modules", partial=True)
def new_gpus_have_open_modules(catalogue: Catalogue) -> Iterator[Fault]:
    """Blackwell and what follows is driven by the open kernel modules only."""
    for index, each in enumerate(catalogue.software):
        new = sorted({"blackwell", "blackwell-ultra", "rubin"} & set(each.gpu_architectures))
        if new and each.driver_modules == "proprietary":
            yield Fault(
                at=("catalogue", "software", index, "driver_modules"),
                message=f"proprietary kernel modules do not drive {', '.join(new)}",
                found=each.driver_modules,
                allowed="open",
                remedy="install the open modules, or leave these GPUs out of the set",
            )


@check("kubernetes-range", partial=True)
def ranges_are_ordered(catalogue: Catalogue) -> Iterator[Fault]:
    """A range of Kubernetes versions holds at least one."""
    for index, each in enumerate(catalogue.software):
        if not each.kubernetes.holds(each.kubernetes.oldest):
            yield Fault(
                at=("catalogue", "software", index, "kubernetes"),
                message=f"the range of {each.software} is empty",
                found=f"{each.kubernetes.oldest} to {each.kubernetes.newest}",
                allowed="oldest before newest",
                remedy="exchange them",
            )


@check("latency-pair")
def pairs_are_named_once(catalogue: Catalogue) -> Iterator[Fault]:
    """Two sites have one latency, whatever their order, and no site has one to itself."""
    seen: set[frozenset[str]] = set()
    for index, each in enumerate(catalogue.latencies):
        pair = frozenset(each.between)
        if len(pair) < 2 or pair in seen:
            yield Fault(
                at=("catalogue", "latencies", index),
                message="two sites have one latency between them",
                found=" and ".join(each.between),
                allowed="each pair of different sites once",
                remedy="remove it",
            )
        seen.add(pair)


@check("latency-floor", partial=True)
def nothing_is_faster_than_light(catalogue: Catalogue) -> Iterator[Fault]:
    """No latency is planned below what light in fibre takes."""
    for index, each in enumerate(catalogue.latencies):
        if each.floor_ms is not None and each.planning_ms < each.floor_ms:
            yield Fault(
                at=("catalogue", "latencies", index, "planning_ms"),
                message=f"light in fibre takes longer between {' and '.join(each.between)}",
                found=f"{each.planning_ms:g} ms",
                allowed=f"at least {each.floor_ms:g} ms",
                remedy="correct it",
            )


@check("latency-country")
def sites_have_countries(catalogue: Catalogue) -> Iterator[Fault]:
    """Every site of a latency has a country, so that rules know whose law it is under."""
    for index, each in enumerate(catalogue.latencies):
        for place, site in enumerate(each.between):
            if site not in catalogue.sites:
                yield unknown(
                    ("catalogue", "latencies", index, "between", place), "site", site, catalogue.sites, "sites"
                )


CHECKS = (
    port_names_are_distinct,
    breakouts_fit_the_port,
    supplies_add_up,
    inventories_name_parts,
    companions_match_the_driver,
    new_gpus_have_open_modules,
    ranges_are_ordered,
    pairs_are_named_once,
    nothing_is_faster_than_light,
    sites_have_countries,
)
