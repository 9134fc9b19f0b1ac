"""Racks and hosts, with every address that follows from their ids."""

from __future__ import annotations

from collections.abc import Mapping

from components.plan.addressing import address, host_link, in_rack_block, rack_block, subnet
from components.plan.model import FirmwarePlan, HostPlan, Nic, RackPlan, TrayHardware, TrayRole
from components.plan.naming import host_name
from components.spec.artifacts import ArtifactIndex
from components.spec.catalogue.rack import RackProfile
from components.spec.derive import host_id
from components.spec.network import Pools
from components.spec.rack import Rack, Tray
from components.spec.region import Region


def compile_racks(region: Region, artifacts: ArtifactIndex) -> tuple[RackPlan, ...]:
    """All racks in the order of their ids, trays in the order of their slots."""
    profiles = {profile.profile: profile for profile in region.catalogue.racks}
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
        oob_block=str(rack_block(region.pools.oob.racks, region.pools.oob.rack_prefix, rack.id)),
        hardware=TrayHardware(
            boot_mode=profile.tray.boot_mode,
            arch=profile.tray.arch,
            disk_gib=profile.tray.disk_gib,
            memory_mib=profile.tray.memory_mib,
            gpus=profile.tray.gpus,
        ),
        firmware=_firmware(profile, region),
        hosts=tuple(_host(tray, rack, profile, region, vips) for tray in trays),
    )


def _firmware(profile: RackProfile, region: Region) -> FirmwarePlan | None:
    baseline = region.catalogue.baseline(profile.firmware) if profile.firmware else None
    if baseline is None or not baseline.is_known:
        return None
    return FirmwarePlan(
        baseline=baseline.baseline, release=baseline.release or "", parts=tuple(sorted(baseline.parts.items()))
    )


def _management(pools: Pools, id: int, *, has_oob_nic: bool) -> tuple[str, int, str]:
    """Address, prefix length and gateway by which a host is managed."""
    if has_oob_nic and pools.oob.hosts:
        return address(pools.oob.hosts, id), pools.oob.network.prefixlen, str(pools.oob.gateway)
    if pools.host_links is None:
        raise ValueError(f"host {id} has no pool for its management address")
    leaf, host = host_link(pools.host_links, id)
    return host, 31, leaf


def _host(
    tray: Tray, rack: Rack, profile: RackProfile, region: Region, vips: Mapping[TrayRole, tuple[str, ...]]
) -> HostPlan:
    pools = region.pools
    id = host_id(rack.id, tray.slot, pools.slots_per_rack)
    bmc = in_rack_block(pools.oob.racks, pools.oob.rack_prefix, rack.id, tray.slot)
    management, prefix, gateway = _management(pools, id, has_oob_nic=profile.tray.has_oob_nic)
    macs = tray.macs or ("",) * len(profile.tray.nics)
    port = 443 if profile.tray.bmc_scheme == "https" else 80
    kind = region.gpu_profile(rack, tray) or profile  # a rule has refused one that is not known
    return HostPlan(
        name=host_name(rack.name, tray.slot),
        id=id,
        rack=rack.name,
        slot=tray.slot,
        role=tray.role,
        serial=tray.serial or "",
        gpus=profile.tray.gpus,
        gpu_model=kind.tray.gpu_model,
        gpu_pool=kind.profile,
        nics=tuple(
            Nic(name=name, mac=mac, is_oob=profile.tray.has_oob_nic and index == 0)
            for index, (name, mac) in enumerate(zip(profile.tray.nics, macs, strict=True))
        ),
        bmc_mac=tray.bmc_mac or "",
        bmc_address=bmc,
        bmc_url=f"{profile.tray.bmc_scheme}://{bmc}:{port}",
        oob_address=management,
        oob_prefix=prefix,
        oob_gateway=gateway,
        loopback=address(pools.host_loopbacks, id),
        asn=region.asns.host.first + id,
        pod_cidr=subnet(pools.pods, pools.pod_prefix, id),
        service_vips=vips[tray.role],
        leaves=rack.leaves,
    )
