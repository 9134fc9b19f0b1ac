"""Hardware manager of a simulated machine: its disk is a loop device, its NICs are veths.

What a real machine says of itself through DMI is in machine.json, written by its firmware.
"""

# Runs in the ramdisk, with packages that are not installed here.
# pyright: basic, reportMissingImports=false

import json
from pathlib import Path

from ironic_python_agent import hardware, netutils

MACHINE = json.loads(Path("/run/lab-platform/machine.json").read_text())

_list_all = hardware.list_all_block_devices


def list_all_block_devices(block_type="disk", **kwargs):
    """The machine's own disk. lsblk calls it `loop`, the agent asks for `disk`."""
    wanted = [block_type] if isinstance(block_type, str) else list(block_type)
    found = _list_all(["loop" if kind == "disk" else kind for kind in wanted], **kwargs)
    disks = [disk for disk in found if Path(disk.name).exists()]
    for disk in disks:
        if "disk" in wanted:
            disk.model, disk.vendor, disk.serial, disk.rotational = "LABDISK", "lab", MACHINE["serial"], False
    return disks


# Called by name all over the agent, not only through the manager.
hardware.list_all_block_devices = list_all_block_devices
# A veth has no /sys/class/net/NAME/device, by which the agent knows a NIC.
netutils.is_network_device = lambda name: name != "lo"


class LabHardwareManager(hardware.GenericHardwareManager):
    """Answers for what the kernel of a simulated machine cannot know."""

    HARDWARE_MANAGER_NAME = "LabHardwareManager"
    HARDWARE_MANAGER_VERSION = "1"

    def evaluate_hardware_support(self):
        return hardware.HardwareSupport.SERVICE_PROVIDER

    def get_memory(self):
        mib = MACHINE["memory_mib"]
        return hardware.Memory(total=mib << 20, physical_mb=mib)

    def get_system_vendor_info(self):
        firmware = hardware.SystemFirmware("lab", "1.0", "2026-01-01")
        return hardware.SystemVendorInfo("simulated machine", MACHINE["serial"], "lab", firmware)

    def get_bmc_address(self):
        return MACHINE["bmc_address"]

    def get_bmc_v6address(self):
        return "::/0"
