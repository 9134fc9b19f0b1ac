"""Racks and hosts, with every address that follows from their ids."""

from __future__ import annotations

from collections.abc import Mapping

from components.plan.addressing import address, subnet
from components.plan.model import HostPlan, Nic, RackPlan, TrayHardware, TrayRole
from components.plan.naming import host_name
from components.spec.artifacts import ArtifactIndex
from components.spec.derive import host_id
from components.spec.profile import RackProfile
from components.spec.rack import Rack, Tray
from components.spec.region import Region


def compile_racks(region: Region, artifacts: ArtifactIndex) -> tuple[RackPlan, ...]:
    """All racks in the order of their ids, trays in the order of their slots."""
    profiles = {profile.profile: profile for profile in region.profiles}
    vips = service_vips(region)
    racks = sorted(region.racks, key=lambda rack: rack.id)
    return tuple(_rack(rack, profiles[rack.profile], region, artifacts, vips) for rack in racks)


def service_vips(region: Region) -> Mapping[TrayRole, tuple[str, ...]]:
    """Shared addresses by the role of the hosts that announce them."""
    pool, api = region.pools.service_vips, region.cluster.api_vip_id
    return {
        TrayRole.CONTROL_PLANE: (address(pool, api),) if api else (),
        TrayRole.GPU_WORKER: (address(pool, region.runtime.gateway.vip_id),),
        TrayRole.SPARE: (),
    }


def _rack(
    rack: Rack,
    profile: RackProfile,
    region: Region,
    artifacts: ArtifactIndex,
    vips: Mapping[TrayRole, tuple[str, ...]],
) -> RackPlan:
    image = region.images[rack.image]
    published = artifacts.deploy_images[image.name]
    trays = sorted(rack.trays, key=lambda tray: tray.slot)
    return RackPlan(
        name=rack.name,
        id=rack.id,
        profile=rack.profile,
        image=image.name,
        image_url=published.url,
        image_sha256=published.sha256,
        image_format=published.format,
        protect=rack.protect,
        hardware=TrayHardware(
            boot_mode=profile.tray.boot_mode,
            disk_gib=profile.tray.disk_gib,
            memory_mib=profile.tray.memory_mib,
            gpus=profile.tray.gpus,
        ),
        hosts=tuple(_host(tray, rack, profile, region, vips) for tray in trays),
    )


def _host(
    tray: Tray, rack: Rack, profile: RackProfile, region: Region, vips: Mapping[TrayRole, tuple[str, ...]]
) -> HostPlan:
    pools = region.pools
    id = host_id(rack.id, tray.slot, pools.slots_per_rack)
    bmc = address(pools.oob.bmcs, id)
    port = 443 if profile.tray.bmc_scheme == "https" else 80
    return HostPlan(
        name=host_name(rack.name, tray.slot),
        id=id,
        rack=rack.name,
        slot=tray.slot,
        role=tray.role,
        serial=tray.serial,
        nics=tuple(
            Nic(name=name, mac=mac, is_oob=index == 0)
            for index, (name, mac) in enumerate(zip(profile.tray.nics, tray.macs, strict=True))
        ),
        bmc_address=bmc,
        bmc_url=f"{profile.tray.bmc_scheme}://{bmc}:{port}",
        oob_address=address(pools.oob.hosts, id),
        oob_prefix=pools.oob.network.prefixlen,
        oob_gateway=str(pools.oob.gateway),
        loopback=address(pools.host_loopbacks, id),
        asn=region.asns.host.first + id,
        pod_cidr=subnet(pools.pods, pools.pod_prefix, id),
        service_vips=vips[tray.role],
        leaves=rack.leaves,
    )
