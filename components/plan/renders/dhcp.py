"""Kea's DHCPv4 configuration for the out-of-band network.

Nobody gets an address by chance: there are no pools, only reservations for MACs that are known because the
hardware was received. A rack whose switches route has a subnet of its own, found by the address of its
relay; all else, InfiniBand switches too, shares the subnet of the whole network.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from components.plan.model import RackPlan, RegionPlan
from components.plan.naming import bmc_name
from components.plan.networks.model import OobEndpoint, OobRack
from components.plan.renders.piece import Files, Piece
from components.plan.renders.text import json_text

LEASE_S = 86400
SHARED_ID = 4294967294
"""Subnet id of the shared network: the last that Kea takes, so that it is no rack's."""


def kea(plan: RegionPlan) -> Iterator[Piece]:
    """`kea-dhcp4.json`."""
    reads = (plan.domain, plan.endpoints.dns, plan.endpoints.ntp, plan.oob, plan.networks.oob, plan.racks)
    yield Piece("", reads, lambda: _kea(plan))


def _kea(plan: RegionPlan) -> Files:
    shares = {share.rack: share for share in plan.networks.oob.racks}
    routed = [rack for rack in plan.racks if _routes(shares[rack.name])]
    shared = [rack for rack in plan.racks if not _routes(shares[rack.name])]
    subnets = [_of_rack(rack, shares[rack.name], plan) for rack in routed]
    beside = [each for each in plan.networks.oob.endpoints if each.mac]
    if shared or beside:
        subnets.append(_shared(shared, beside, plan))
    document = {
        "Dhcp4": {
            # Relayed requests come as plain UDP; in a shared network the machines themselves ask.
            "interfaces-config": {"interfaces": ["*"], "dhcp-socket-type": "raw" if shared or beside else "udp"},
            "lease-database": {"type": "memfile", "persist": True},
            "valid-lifetime": LEASE_S,
            "authoritative": True,
            "host-reservation-identifiers": ["hw-address"],
            "option-data": [
                {"name": "domain-name", "data": plan.domain},
                {"name": "domain-name-servers", "data": ", ".join(plan.endpoints.dns)},
                {"name": "ntp-servers", "data": ", ".join(plan.endpoints.ntp)},
            ],
            "subnet4": subnets,
        }
    }
    yield "kea-dhcp4.json", json_text(document)


def _routes(share: OobRack) -> bool:
    return IPv4Address(share.gateway) in IPv4Network(share.block)


def _of_rack(rack: RackPlan, share: OobRack, plan: RegionPlan) -> dict[str, Any]:
    return {
        "id": rack.id,
        "subnet": share.block,
        "relay": {"ip-addresses": [share.gateway]},
        "option-data": [{"name": "routers", "data": share.gateway}],
        "reservations": list(_reservations(rack, plan)),
        "user-context": {"rack": rack.name},
    }


def _shared(racks: list[RackPlan], beside: list[OobEndpoint], plan: RegionPlan) -> dict[str, Any]:
    return {
        "id": SHARED_ID,
        "subnet": plan.oob.network,
        "option-data": [{"name": "routers", "data": plan.oob.gateway}],
        "reservations": [
            *(each for rack in racks for each in _reservations(rack, plan)),
            *(
                {"hw-address": each.mac, "ip-address": each.address, "hostname": f"{each.name}.{plan.domain}"}
                for each in beside
            ),
        ],
    }


def _reservations(rack: RackPlan, plan: RegionPlan) -> Iterator[dict[str, str]]:
    for host in rack.hosts:
        if host.bmc_mac:
            yield {
                "hw-address": host.bmc_mac,
                "ip-address": host.bmc_address,
                "hostname": f"{bmc_name(host.name)}.{plan.domain}",
            }
        for nic in host.nics:
            if nic.is_oob and nic.mac:
                yield {
                    "hw-address": nic.mac,
                    "ip-address": host.oob_address,
                    "hostname": f"{host.name}.{plan.domain}",
                }
