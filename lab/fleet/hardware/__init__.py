"""The hardware of an NVL72 rack as its BMCs show it.

Resource ids, models, part numbers and counts of sensors are those of NVIDIA's simulated BMCs
(github.com/NVIDIA/infra-controller, commit a02fa34, crates/bmc-mock/src/hw); boot, BIOS and reset paths those of
its client (github.com/NVIDIA/libredfish, commit c094c9e, src/nvidia_gbx00.rs). PLDM component identifiers, and
what activates a component, are this project's choice: no source that was read gives them.
"""

from __future__ import annotations

from collections.abc import Mapping

from lab.fleet.hardware.bluefield import BLUEFIELD
from lab.fleet.hardware.compute_tray import COMPUTE_TRAY
from lab.fleet.hardware.model import Hardware
from lab.fleet.hardware.nvlink_switch import NVLINK_SWITCH
from lab.fleet.hardware.power_shelf import POWER_SHELF
from lab.fleet.kinds import Kind

HARDWARE: Mapping[Kind, Hardware] = {h.kind: h for h in (COMPUTE_TRAY, BLUEFIELD, NVLINK_SWITCH, POWER_SHELF)}
