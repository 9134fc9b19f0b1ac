"""A GB200 compute tray: host BMC and HMC in one service (hw/wiwynn_gb200_nvl.rs)."""

from __future__ import annotations

from lab.fleet.hardware.model import Activation, Chassis, Component, Computer, Hardware, Manager, Processor, Sensors
from lab.fleet.kinds import Kind

_ON_OFF = ("Enabled", "Disabled")
_GPUS = tuple(f"GPU_{n}" for n in range(4))
_CPUS = tuple(f"CPU_{n}" for n in range(2))
_GRACE = tuple(Processor(cpu, "CPU", "NVIDIA Grace", cores=72) for cpu in _CPUS)

COMPUTE_TRAY = Hardware(
    kind=Kind.COMPUTE_TRAY,
    product="GB200 NVL",
    computers=(
        Computer(
            "System_0",
            "GB200 NVL",
            "BMC_0",
            manufacturer="WIWYNN",
            serial=True,
            resets=True,
            bios={
                "TPM": "Disabled",
                "EmbeddedUefiShell": "Enabled",
                "Socket0Pcie6DisableOptionROM": True,
                "Socket1Pcie6DisableOptionROM": True,
            },
            choices={"TPM": _ON_OFF, "EmbeddedUefiShell": _ON_OFF},
            boot=True,
            secure_boot=True,
            processors=_GRACE,
            memory_gib=894,
        ),
        Computer(
            "HGX_Baseboard_0",
            "GB200 NVL",
            "HGX_Chassis_0",
            processors=(*_GRACE, *(Processor(gpu, "GPU", "NVIDIA GB200") for gpu in _GPUS)),
        ),
    ),
    managers=(
        Manager("BMC_0", "FW_BMC_0", "GB200 NVL BMC", ("System_0",), "BMC_0", interfaces=("eth0",)),
        Manager("HGX_BMC_0", "HGX_FW_BMC_0", "GB200 NVL HMC", ("HGX_Baseboard_0",), "HGX_Chassis_0"),
    ),
    chassis=(
        Chassis("BMC_0", "Module", "GB200 NVL", "WIWYNN", "B81.11810.0005", aux_cycle=True),
        Chassis(
            "Chassis_0",
            "RackMount",
            "GB200 NVL",
            part_number="B81.11810.000D",
            assembly=True,
            sensors=Sensors(temperature=40, fan=10, power=10, current=10, voltage=4),
            leak_detectors=4,
        ),
        *(
            Chassis(f"CBC_{n}", "Component", "18x1RU CBL Cartridge", part_number="750-0567-002", cartridge=True)
            for n in range(4)
        ),
        Chassis("HGX_Chassis_0", "Module", "GB200 NVL"),
        *(Chassis(f"HGX_{cpu}", "Component", "Grace A02", serial=f"{{serial}}-{cpu}") for cpu in _CPUS),
        *(Chassis(f"HGX_{gpu}", "Component", "GB200 186GB HBM3e", serial=f"{{serial}}-{gpu}") for gpu in _GPUS),
        *(Chassis(f"IO_Board_{n}", "Module", "ConnectX-7 I/O board", serial=f"{{serial}}-IO{n}") for n in range(2)),
        *(Chassis(f"Riser_Slot{n}_BlueField_3_Card", "Card", "GB200 NVL", "Mellanox Technologies") for n in (1, 2)),
    ),
    components=(
        Component("FW_BMC_0", "25.06-2_NV_WW_02", identifier=0x0010),
        Component("FW_CPLD_0", "0x00 0x0b 0x03 0x04", identifier=0x0020),
        Component("FW_ERoT_AP_CFG_0", "0128"),
        Component("NIC_0", "32.47.1026"),
        Component("TPM_Firmware", "15.23"),
        Component("UEFI", "02.04.12-dde0f655", Activation.HOST, identifier=0x0050),
        Component("HGX_FW_BMC_0", "GB200Nvl-25.06-A", identifier=0x0110),
        Component("HGX_FW_CPLD_0", "0.22", identifier=0x0120),
        Component("HGX_FW_CPU_0", "00000082", identifier=0x0130),
        Component("HGX_FW_CPU_1", "00000082", identifier=0x0131),
        Component("HGX_FW_ERoT_BMC_0", "01.04.0031.0000_n04", identifier=0x0140),
        *(Component(f"HGX_FW_{gpu}", "97.00.4A.00.01", identifier=0x0150 + n) for n, gpu in enumerate(_GPUS)),
    ),
    starts_on=False,
)
