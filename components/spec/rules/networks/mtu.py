"""Rules on packet sizes: what leaves one network whole passes the next."""

from __future__ import annotations

from collections.abc import Iterator

from components.spec.region import Region
from components.spec.rules.rule import Fault, rule

INFINIBAND_MTUS = (256, 512, 1024, 2048, 4096)
"""Path MTUs that InfiniBand knows, bytes of payload (IBTA specification, K)."""

ROCE_OVERHEAD = 60
"""Bytes of an IP packet around the payload of RDMA over Ethernet: IPv4 20, UDP 8, BTH 12, RETH 16, ICRC 4."""


@rule("compute-mtu", "compute")
def infiniband_knows_it(region: Region) -> Iterator[Fault]:
    """InfiniBand has five packet sizes.

    Example: `compute: {mtu: 4000}`.
    """
    if region.compute and region.compute.mtu not in INFINIBAND_MTUS:
        yield Fault(
            at=("compute", "mtu"),
            message="InfiniBand has no such packet size",
            found=str(region.compute.mtu),
            allowed=", ".join(map(str, INFINIBAND_MTUS)),
            remedy="write 4096, which all switches of the catalogue carry",
        )


@rule("mtu-path", "compute", "fabric", "racks", "catalogue")
def storage_takes_whole_packets(region: Region) -> Iterator[Fault]:
    """RDMA to storage runs over the fabric with the packet size of the compute network.

    A fabric that is narrower makes every tray fall back to the next size below, silently.

    Example: `fabric: {mtu: 4100}` with `compute: {mtu: 4096}`.
    """
    used = {rack.profile for rack in region.racks}
    rdma = any(
        port.role == "inband" and port.device
        for profile in region.catalogue.racks
        if profile.profile in used
        for port in profile.tray.ports
    )
    if region.compute is None or not rdma or region.compute.mtu not in INFINIBAND_MTUS:
        return
    needed = region.compute.mtu + ROCE_OVERHEAD
    if region.fabric.mtu < needed:
        fits = [mtu for mtu in INFINIBAND_MTUS if mtu + ROCE_OVERHEAD <= region.fabric.mtu]
        yield Fault(
            at=("fabric", "mtu"),
            message="packets of the compute network's size do not pass the fabric that leads to storage",
            found=f"{region.fabric.mtu}: RDMA would fall back to {fits[-1]} bytes",
            allowed=f"at least {needed}: {region.compute.mtu} (compute.mtu) + {ROCE_OVERHEAD} of headers",
            remedy="raise fabric.mtu; all ports and pods follow it",
        )


RULES = (infiniband_knows_it, storage_takes_whole_packets)
