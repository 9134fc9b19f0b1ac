"""What of a rack is on the out-of-band network: its place in the rack's block of addresses, and its port.

Both follow from the kind of rack alone, for all its slots, so a tray that comes or goes moves nothing.
A GB200 NVL72 rack has 18 x (BMC + 2 DPU BMCs + 2 DPU systems) + 9 x 3 of NVLink switch trays + 8 power
shelves + 2 switches = 127 addresses (D, S9 S18), and 18 x 3 + 9 x 3 + 8 = 89 cables to its two switches of
48 ports (D), as a DPU's BMC and system share one port.

The layout, in addresses from the start of the block; the gateway is the last usable one:
      1 + slot - 1                tray BMC             slots 1 to 31
     32 + 2 (slot - 1) + k        DPU BMC              slots 1 to 20, k = 0, 1
     72 + 2 (slot - 1) + k        DPU system           the same
    112 + 3 (n - 1) + m           NVLink switch tray   n = 1 to 10; m: 0 BMC, 1 and 2 its computers
    143 + n                       power shelf          n = 1 to 16
    159 + n                       switch in the rack   n = 1 to 8
    167 + n                       PDU                  n = 1 to 64
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from components.spec.catalogue.derive import oob_ports
from components.spec.catalogue.rack import RackProfile
from components.spec.catalogue.switch import SwitchProfile

SWITCHES_PER_RACK = 2
"""Numbers that each rack id takes of the out-of-band switches, whether or not they stand in it."""

SWITCH_OFFSET = 159
"""Switch n of a rack has this + n."""

MAX_AGGREGATION = 64
"""Numbers before those of the racks; kept for the switches that gather them."""


class OobKind(StrEnum):
    """What answers at an address."""

    TRAY_BMC = "tray-bmc"
    DPU_BMC = "dpu-bmc"
    DPU_SYSTEM = "dpu-system"
    HOST = "host"
    """Operating system of a tray that has a port here; its address is of another pool."""
    NVLINK_BMC = "nvlink-bmc"
    NVLINK_SYSTEM = "nvlink-system"
    POWER_SHELF = "power-shelf"
    SWITCH = "switch"
    PDU = "pdu"
    COMPUTE_SWITCH = "compute-switch"
    """An InfiniBand switch; it stands beside the racks."""


CAPACITY: Mapping[str, int] = MappingProxyType(
    {"trays": 31, "trays with DPUs": 20, "DPUs of a tray": 2, "NVLink switch trays": 10}
    | {"processors of a switch tray": 3, "power shelves": 16, "switches": SWITCHES_PER_RACK, "PDUs": 64}
)
"""The most that the layout has room for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OobItem:
    """One address of a rack."""

    kind: OobKind
    slot: int | None
    """The tray's, which may be absent; None for what is built into the rack."""
    device: str
    """After the rack's name: `t01`, `nvsw1`, `shelf1`; the operating system's name for a tray."""
    end: str
    """After the device's name: `-bmc`; empty for the device itself."""
    offset: int | None
    """From the start of the rack's block; None for an address of another pool."""
    plug: str
    """Port of the device; empty where it has none of its own."""
    switch: int = 0
    """Number of the switch in the rack; 0 without."""
    port: int = 0
    """Of that switch, from 1."""


def items_of(profile: RackProfile) -> tuple[OobItem, ...]:
    """All that a rack of this kind may have, in the order of ports."""
    items = tuple(_items(profile))
    switches = profile.oob_switches.count if profile.oob_switches else 0
    if not switches:
        return items
    share = -(-oob_ports(profile) // switches)
    plugged, placed = -1, list[OobItem]()
    for item in items:
        plugged += bool(item.plug)
        shares_port = item.kind is OobKind.DPU_SYSTEM
        has_port = bool(item.plug) or shares_port
        switch, port = divmod(plugged, share) if has_port else (-1, -1)
        placed.append(replace(item, switch=switch + 1, port=port + 1))
    return tuple(placed)


def _items(profile: RackProfile) -> Iterator[OobItem]:
    tray = profile.tray
    for slot in range(1, profile.slots + 1):
        name = f"t{slot:02d}"
        yield OobItem(kind=OobKind.TRAY_BMC, slot=slot, device=name, end="-bmc", offset=slot, plug="bmc")
        for k, dpu in enumerate(tray.dpus):
            at = 2 * (slot - 1) + k
            end, plug = f"-dpu{k + 1}", f"{dpu.name}-mgmt"
            yield OobItem(kind=OobKind.DPU_BMC, slot=slot, device=name, end=f"{end}-bmc", offset=32 + at, plug=plug)
            yield OobItem(kind=OobKind.DPU_SYSTEM, slot=slot, device=name, end=end, offset=72 + at, plug="")
        if tray.has_oob_nic:
            yield OobItem(kind=OobKind.HOST, slot=slot, device=name, end="", offset=None, plug=tray.nics[0])
    yield from _built_in(profile)


def _built_in(profile: RackProfile) -> Iterator[OobItem]:
    nvlink = profile.nvlink
    for n in range(1, nvlink.switch_trays + 1 if nvlink else 1):
        for m in range(nvlink.managed_per_tray if nvlink else 0):
            part = f"come{m}" if m else "bmc"
            yield OobItem(
                kind=OobKind.NVLINK_SYSTEM if m else OobKind.NVLINK_BMC,
                slot=None,
                device=f"nvsw{n}",
                end=f"-{part}",
                offset=112 + 3 * (n - 1) + m,
                plug=part,
            )
    for kind, fitted, name, before, plug in (
        (OobKind.POWER_SHELF, profile.power_shelves, "shelf", 143, "pmc"),
        (OobKind.PDU, profile.pdus, "pdu", 167, "mgmt"),
        (OobKind.SWITCH, profile.oob_switches, "oob", SWITCH_OFFSET, ""),
    ):
        for n in range(1, fitted.count + 1 if fitted else 1):
            yield OobItem(kind=kind, slot=None, device=f"{name}{n}", end="", offset=before + n, plug=plug)


def counts_of(profile: RackProfile) -> Mapping[str, int]:
    """What the layout must have room for, by the names of `CAPACITY`."""
    dpus = len(profile.tray.dpus)
    return {
        "trays": profile.slots,
        "trays with DPUs": profile.slots if dpus else 0,
        "DPUs of a tray": dpus,
        "NVLink switch trays": profile.nvlink.switch_trays if profile.nvlink else 0,
        "processors of a switch tray": profile.nvlink.managed_per_tray if profile.nvlink else 0,
        "power shelves": profile.power_shelves.count if profile.power_shelves else 0,
        "switches": profile.oob_switches.count if profile.oob_switches else 0,
        "PDUs": profile.pdus.count if profile.pdus else 0,
    }


def rack_switch_number(rack_id: int, n: int) -> int:
    """Number of switch n of a rack among all out-of-band switches."""
    return MAX_AGGREGATION + SWITCHES_PER_RACK * (rack_id - 1) + n


def aggregation_port(rack_id: int, n: int, ports: int) -> tuple[int, int]:
    """Which aggregation switch (from 1) switch n of a rack hangs on, and at which port.

    Aggregation switches come in pairs: the first switches of racks hang on one, the second on the other.
    Each rack id has its port on a pair, so another rack, or another pair, moves nothing.
    """
    pair, port = divmod(rack_id - 1, ports)
    return SWITCHES_PER_RACK * pair + n, port + 1


def rack_switch_name(rack: str, n: int) -> str:
    """`ess-r001-oob1`: a switch inside a rack."""
    return f"{rack}-oob{n}"


def uplink_port(switch: SwitchProfile, gathers: SwitchProfile) -> int:
    """Port of a switch inside a rack that leads to the aggregation.

    One of its fast ports if the main ports of the aggregation are as fast; the last main port otherwise, which
    then serves no device.
    """
    is_fast = switch.uplinks is not None and gathers.speed_gbps >= switch.uplinks.speed_gbps
    return switch.ports + 1 if is_fast else switch.ports
