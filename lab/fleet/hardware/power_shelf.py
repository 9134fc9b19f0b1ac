"""A power shelf of six supplies, LiteOn PF-1333-7R (hw/liteon_power_shelf.rs)."""

from __future__ import annotations

from lab.fleet.hardware.model import Activation, Chassis, Component, Computer, Hardware, Manager, Sensors
from lab.fleet.kinds import Kind

_MAKER = "LITE-ON TECHNOLOGY CORP."
_MODEL = "PF-1333-7R"

POWER_SHELF = Hardware(
    kind=Kind.POWER_SHELF,
    product=_MODEL,
    computers=(Computer("system", _MODEL, "powershelf", manufacturer=_MAKER, serial=True, resets=True),),
    managers=(Manager("bmc", "bmc_active", _MODEL, ("system",), "powershelf", interfaces=("eth0",)),),
    chassis=(
        Chassis(
            "powershelf",
            "Shelf",
            _MODEL,
            _MAKER,
            _MODEL,
            serial="{serial}",
            sensors=Sensors(temperature=20, fan=6, power=12, current=12),
            power_supplies=6,
        ),
    ),
    components=(
        Component("bmc_active", "r1.3.9", Activation.BMC, identifier=0x0410),
        Component("psu_firmware", "0102", Activation.BMC, identifier=0x0420),
    ),
    starts_on=True,
)
