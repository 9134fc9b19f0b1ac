"""The networks of a region, a line each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from components.plan.fabric_model import SwitchRole
from components.plan.model import RegionPlan
from components.plan.networks.model import ComputePlan, Network, NvlinkDomain, OobPlan, OobRole, Tier
from components.plan.summary.model import NetworkLine
from components.words import count

TIERS: Mapping[str, str] = MappingProxyType({"spine": "spines", "leaf": "leaves", "core": "cores"})


def network_lines(plan: RegionPlan) -> Iterator[NetworkLine]:
    """Each network with what it is made of."""
    yield _inband(plan)
    cables = Counter(cable.network for cable in plan.networks.cables)
    if plan.networks.compute:
        yield _compute(plan.networks.compute, cables[Network.COMPUTE])
    if plan.networks.nvlink:
        yield _nvlink(plan.networks.nvlink)
    yield _oob(plan, plan.networks.oob, cables[Network.OOB])


def _inband(plan: RegionPlan) -> NetworkLine:
    roles = Counter(switch.role for switch in plan.fabric.switches)
    planes = len({switch.plane for switch in plan.fabric.switches})
    return NetworkLine(
        network="in-band",
        switches=tuple((TIERS[role], roles[role]) for role in (SwitchRole.SPINE, SwitchRole.LEAF)),
        model=", ".join(sorted({switch.model for switch in plan.fabric.switches})),
        endpoints=sum(len(host.leaves) for host in plan.hosts),
        cables=len(plan.fabric.cables),
        note=f"routed Ethernet, {count(planes, 'plane')}, MTU {plan.fabric.mtu:,}",
    )


def _compute(compute: ComputePlan, cables: int) -> NetworkLine:
    islands = count(len(compute.islands), "island")
    tiers = Counter(switch.tier for switch in compute.switches)
    return NetworkLine(
        network="compute",
        switches=tuple((TIERS[tier], tiers[tier]) for tier in Tier if tiers[tier]),
        model=compute.model,
        endpoints=len(compute.racks) * compute.shape.slots * compute.shape.rails,
        cables=cables,
        note=f"InfiniBand {compute.speed_gbps:g} Gb/s, {islands}, {compute.shape.rails} rails",
    )


def _nvlink(domains: tuple[NvlinkDomain, ...]) -> NetworkLine:
    trays = sum(len(domain.switch_trays) for domain in domains)
    return NetworkLine(
        network="NVLink",
        switches=(("switch trays", trays),),
        model="",
        endpoints=sum(domain.gpus for domain in domains),
        cables=0,
        note=f"{len(domains)} domains, one a rack; cartridges instead of cables",
    )


def _oob(plan: RegionPlan, oob: OobPlan, cables: int) -> NetworkLine:
    roles = Counter(switch.role for switch in oob.switches)
    above = roles[OobRole.AGGREGATION] + roles[OobRole.GATHERING]
    tiers = (
        ("aggregation", above),
        ("in racks", roles[OobRole.RACK]),
        ("beside the compute network", roles[OobRole.ACCESS]),
    )
    return NetworkLine(
        network="out-of-band",
        switches=tuple((tier, count) for tier, count in tiers if count),
        model=", ".join(sorted({switch.model for switch in oob.switches})),
        endpoints=len(oob.endpoints),
        cables=cables,
        note=f"management of every device, {plan.oob.network}",
    )
