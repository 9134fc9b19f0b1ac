"""A BlueField-3: a computer on a card, with a BMC of its own (hw/bluefield3.rs)."""

from __future__ import annotations

from lab.fleet.hardware.model import Activation, Chassis, Component, Computer, Hardware, Manager, Processor, Sensors
from lab.fleet.kinds import Kind

_MODEL = "BlueField-3 DPU"
_PART = "900-9D3B6-00CN-PA0"

BLUEFIELD = Hardware(
    kind=Kind.DPU,
    product=_MODEL,
    computers=(
        Computer(
            "Bluefield",
            _MODEL,
            "Bluefield_BMC",
            serial=True,
            resets=True,
            bios={"HostPrivilegeLevel": "Privileged"},
            choices={"HostPrivilegeLevel": ("Privileged", "Restricted")},
            boot=True,
            secure_boot=True,
            processors=(Processor("CPU_0", "CPU", "Mellanox BlueField-3 [A1] A78(D42) 16 Cores r0p1", cores=16),),
            memory_gib=32,
            interfaces={"oob_net0": 1},
            oem=True,
        ),
    ),
    managers=(
        Manager(
            "Bluefield_BMC",
            "BMC_Firmware",
            "BlueField-3 BMC",
            ("Bluefield",),
            "Bluefield_BMC",
            interfaces=("eth0",),
            oem=True,
        ),
    ),
    chassis=(
        Chassis("Bluefield_BMC", "Component", _MODEL, part_number=_PART, serial="{serial}"),
        Chassis("Bluefield_ERoT", "Component", "ERoT"),
        Chassis("CPU_0", "Component", "Mellanox BlueField-3 [A1] A78(D42) 16 Cores r0p1"),
        Chassis(
            "Card1",
            "Card",
            _MODEL,
            part_number=_PART,
            serial="{serial}",
            sensors=Sensors(temperature=4, fan=4, power=3, current=3),
        ),
    ),
    components=(
        Component("BMC_Firmware", "BF-23.10-4", Activation.BMC, identifier=0x0210),
        Component("Bluefield_FW_ERoT", "00.02.0180.0000_n00", Activation.BMC, identifier=0x0220),
        Component("DPU_UEFI", "4.5.0-46-gf57517d", Activation.HOST, identifier=0x0230),
        Component("DPU_NIC", "32.39.2048", Activation.HOST, identifier=0x0240),
        Component("DPU_SYS_IMAGE", "0000:0000:0000:0000"),
    ),
    starts_on=True,
)
