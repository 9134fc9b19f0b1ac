"""Makes the description of a fleet of NVL72 racks from a seed."""

from __future__ import annotations

import ipaddress
import json
from hashlib import blake2b

from lab.fleet.description import Description, Entry
from lab.fleet.errors import FleetError
from lab.fleet.kinds import Kind, Place, places

PREFIX = ipaddress.IPv4Network("127.64.0.0/10")
"""All of it is this machine: Linux takes 127.0.0.0/8 as local without an address on any interface."""
PORT = 8443
_MODELS = {Kind.COMPUTE_TRAY: "T", Kind.DPU: "D", Kind.NVLINK_SWITCH: "S", Kind.POWER_SHELF: "P"}
_MACS = {Kind.COMPUTE_TRAY: 4, Kind.DPU: 2, Kind.NVLINK_SWITCH: 2, Kind.POWER_SHELF: 0}
"""Network cards beside the BMC's: a tray's DPU ports, a DPU's own and its `oob_net0`, a switch's two computers."""


def describe(racks: int, *, seed: int = 1, series: str = "sim-r", first: int = 1, port: int = PORT) -> Description:
    """`racks` racks named `series` and three digits, one /24 of loopback addresses each."""
    subnets = 1 << (24 - PREFIX.prefixlen)
    if not 1 <= racks <= subnets - first:
        raise FleetError("that many racks have no addresses", found=str(racks), allowed=f"1 to {subnets - first}")
    base = int(PREFIX.network_address)
    return {
        f"{series}{id:03d}": {p.name: _entry(seed, id, p, base + (id << 8) + p.host, port) for p in places()}
        for id in range(first, first + racks)
    }


def received(description: Description) -> str:
    """The list of received hardware alone, as a supplier sends it: compute trays by slot, without passwords."""
    listed = {
        rack: {
            place: entry.model_dump(mode="json", include={"serial", "macs", "bmc_mac", "bmc_address"})
            for place, entry in there.items()
            if entry.kind is Kind.COMPUTE_TRAY
        }
        for rack, there in description.items()
    }
    return json.dumps(listed, indent=1) + "\n"


def _entry(seed: int, rack: int, place: Place, address: int, port: int) -> Entry:
    unique = blake2b(f"{seed}/{rack}/{place.name}".encode(), digest_size=16).hexdigest()
    # 02: locally administered, so no MAC is ever some maker's. Five bytes: rack, place, card.
    stem = f"02:{rack >> 8:02x}:{rack & 255:02x}:{place.host:02x}:{unique[:2]}"
    return Entry(
        kind=place.kind,
        # The rack and the place are in it, so that no two can be the same; the rest belongs to the seed.
        serial=f"{_MODELS[place.kind]}{rack:05d}{place.host:03d}{unique[2:7].upper()}",
        macs=tuple(f"{stem}:{n:02x}" for n in range(1, 1 + _MACS[place.kind])),
        bmc_mac=f"{stem}:00",
        bmc_address=ipaddress.IPv4Address(address),
        bmc_port=port,
        bmc_username="root",
        bmc_password=f"Fp-{unique[8:20]}",
    )
