"""Puts the networks of a region together, and all their cables into one list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from components.plan.fabric_model import FabricPlan
from components.plan.model import RackPlan
from components.plan.networks.compute import compile_compute
from components.plan.networks.inband import inband_cables
from components.plan.networks.model import NetworksPlan, NvlinkDomain
from components.plan.networks.oob import compile_oob
from components.plan.networks.runs import Spots
from components.plan.topology import TopologyPlan
from components.spec.region import Region


def compile_networks(
    region: Region, racks: Sequence[RackPlan], fabric: FabricPlan, topology: TopologyPlan
) -> NetworksPlan:
    """All networks of a region whose rules hold."""
    spots = Spots(region.site, topology)
    compute, compute_cables = compile_compute(region, racks, spots)
    oob, oob_cables = compile_oob(region, racks, compute, spots)
    return NetworksPlan(
        compute=compute,
        oob=oob,
        nvlink=tuple(_domains(region, racks, topology)),
        cables=(*compute_cables, *inband_cables(region, fabric, spots), *oob_cables),
    )


def _domains(region: Region, racks: Sequence[RackPlan], topology: TopologyPlan) -> Iterator[NvlinkDomain]:
    profiles = {profile.profile: profile for profile in region.catalogue.racks}
    names = {place.rack: place.nvlink_domain for place in topology.racks}
    for rack in racks:
        profile, name = profiles[rack.profile], names[rack.name]
        if profile.nvlink is None or name is None:
            continue
        yield NvlinkDomain(
            name=name,
            rack=rack.name,
            gpus=sum(host.gpus for host in rack.hosts),
            capacity_gpus=profile.nvlink.gpus_per_domain,
            switch_trays=tuple(f"{rack.name}-nvsw{n}" for n in range(1, profile.nvlink.switch_trays + 1)),
            asics=profile.nvlink.switch_trays * profile.nvlink.asics_per_tray,
            links_per_gpu=profile.nvlink.links_per_gpu,
        )
