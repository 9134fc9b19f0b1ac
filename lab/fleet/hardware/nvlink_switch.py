"""An NVLink switch tray, N5200_LD, with two switch ASICs (hw/nvidia_switch_nd5200_ld.rs)."""

from __future__ import annotations

from lab.fleet.hardware.model import Activation, Chassis, Component, Computer, Hardware, Manager, Sensors
from lab.fleet.kinds import Kind

_EROTS = ("BMC_0", "CPU_0", "FPGA_0", "NVSwitch_0", "NVSwitch_1")

NVLINK_SWITCH = Hardware(
    kind=Kind.NVLINK_SWITCH,
    product="N5200_LD",
    computers=(Computer("System_0", "N5200_LD", "BMC_eeprom", serial=True, resets=True),),
    managers=(Manager("BMC_0", "MGX_FW_BMC_0", "P3809", ("System_0",), "BMC_eeprom", interfaces=("eth0",)),),
    chassis=(
        Chassis(
            "BMC_eeprom", "Module", "P3809", part_number="692-13809-1404-000", serial="{serial}-BMC", aux_cycle=True
        ),
        Chassis("CPLD_0", "Module", "LCMXO3D-9400HC-5BG256C", "Lattice"),
        Chassis(
            "MGX_BMC_0",
            "Component",
            "P3809",
            part_number="692-13809-1404-000",
            serial="{serial}-BMC",
            sensors=Sensors(temperature=1),
            leak_detectors=8,
        ),
        *(Chassis(f"MGX_ERoT_{of}", "Component", "ERoT", serial=f"0xFEEEEEEE{n:04X}") for n, of in enumerate(_EROTS)),
        *(
            Chassis(
                f"MGX_NVSwitch_{n}",
                "Component",
                "N5200_LD",
                part_number="920-9K36W-00MV-GS0",
                serial="{serial}",
                sensors=Sensors(temperature=1, power=1),
            )
            for n in range(2)
        ),
    ),
    components=(
        Component("MGX_FW_BMC_0", "88.0002.1333", identifier=0x0310),
        Component("MGX_FW_CPLD_0", "0.22", identifier=0x0320),
        Component("MGX_FW_ERoT_BMC_0", "01.04.0031.0000_n04", identifier=0x0330),
        Component("MGX_FW_FPGA_0", "1.16A", identifier=0x0340),
        Component("MGX_UEFI_0", "02.05.01", Activation.HOST, identifier=0x0350),
        Component("NVOS", "25.02.1884", Activation.HOST, identifier=0x0360),
    ),
    starts_on=True,
)
