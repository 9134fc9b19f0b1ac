"""Systems: power, boot, BIOS and Secure Boot settings, processors, network interfaces.

On GB200 a boot override is set on `Systems/System_0/Settings`, not on the system; BIOS settings wait on
`Bios/Settings` until the host boots (libredfish, src/nvidia_gbx00.rs).
"""

from __future__ import annotations

from lab.fleet.answers import Json
from lab.fleet.call import Call
from lab.fleet.hardware.model import Computer, Hardware
from lab.fleet.resources import power, settings
from lab.fleet.resources.tree import HEALTHY, ROOT, Tree, action, collection, link, resource

SYSTEMS = f"{ROOT}/Systems"
_BOOTED_AFTER_S = 120
"""Simulated seconds from power to a running operating system."""


def add(tree: Tree, hardware: Hardware) -> None:
    tree.add(collection(SYSTEMS, "ComputerSystem", "Computer System Collection", [c.id for c in hardware.computers]))
    for computer in hardware.computers:
        _add_one(tree, hardware, computer)


def _add_one(tree: Tree, hardware: Hardware, computer: Computer) -> None:
    path = f"{SYSTEMS}/{computer.id}"
    tree.dynamic(path, lambda call: _system(call, hardware, computer), **power.patches(computer))
    if computer.resets:
        tree.action(f"{path}/Actions/ComputerSystem.Reset", power.reset)
    _add_processors(tree, computer, path)
    if computer.interfaces:
        _add_interfaces(tree, computer, path)
    settings.add(tree, computer, path)


def _system(call: Call, hardware: Hardware, computer: Computer) -> Json:
    path = f"{SYSTEMS}/{computer.id}"
    managers = [m.id for m in hardware.managers if computer.id in m.computers]
    shown = resource(
        path,
        "ComputerSystem.v1_20_0.ComputerSystem",
        computer.id,
        computer.id,
        SystemType="Physical",
        Manufacturer=computer.manufacturer,
        Model=computer.model,
        UUID=call.endpoint.uuid(computer.id),
        Status=HEALTHY,
        Links={
            "Chassis": [link(f"{ROOT}/Chassis/{computer.chassis}")],
            "ManagedBy": [link(f"{ROOT}/Managers/{id}") for id in managers],
        },
    )
    if computer.serial:
        shown["SerialNumber"] = call.endpoint.serial
    if computer.processors:
        cpus = [p for p in computer.processors if p.type == "CPU"]
        shown["Processors"] = link(f"{path}/Processors")
        shown["ProcessorSummary"] = {"Count": len(cpus), "Model": cpus[0].model}
    if computer.memory_gib is not None:
        shown["MemorySummary"] = {"TotalSystemMemoryGiB": computer.memory_gib}
    if computer.interfaces:
        shown["EthernetInterfaces"] = link(f"{path}/EthernetInterfaces")
    if computer.resets:
        shown |= _power(call, path)
    else:
        shown["PowerState"] = "On"
    if uefi := next((c.id for c in hardware.components if computer.resets and "UEFI" in c.id), None):
        shown["BiosVersion"] = call.state.firmware.get(uefi) or next(
            c.version for c in hardware.components if c.id == uefi
        )
    more = settings.shown(call, computer, path)
    actions = shown.get("Actions", {}) | more.pop("Actions", {})
    return shown | more | ({"Actions": actions} if actions else {})


def _power(call: Call, path: str) -> Json:
    state, power_state = call.state, power.power_state(call)
    running = state.on and call.now >= state.booted_at + _BOOTED_AFTER_S
    return {
        "PowerState": power_state,
        "PowerRestorePolicy": state.policy,
        "BootProgress": {
            "LastState": "OSRunning" if running else "SystemHardwareInitializationComplete" if state.on else "None"
        },
        "Actions": action(path, "ComputerSystem.Reset", ResetType=list(power.RESETS)),
    }


def _add_processors(tree: Tree, computer: Computer, path: str) -> None:
    if not computer.processors:
        return
    ids = [p.id for p in computer.processors]
    tree.add(collection(f"{path}/Processors", "Processor", "Processor Collection", ids))
    for n, each in enumerate(computer.processors):
        cores = {"TotalCores": each.cores, "TotalThreads": each.cores} if each.cores else {}
        tree.add(
            resource(
                f"{path}/Processors/{each.id}",
                "Processor.v1_18_0.Processor",
                each.id,
                each.id,
                ProcessorType=each.type,
                Manufacturer="NVIDIA",
                Model=each.model,
                Socket=str(n),
                Status=HEALTHY,
                **cores,
            )
        )


def _add_interfaces(tree: Tree, computer: Computer, path: str) -> None:
    at = f"{path}/EthernetInterfaces"
    tree.add(collection(at, "EthernetInterface", "Ethernet Interface Collection", list(computer.interfaces)))
    for name, which in computer.interfaces.items():
        tree.dynamic(
            f"{at}/{name}", lambda call, name=name, which=which: interface(at, name, call.endpoint.entry.macs[which])
        )


def interface(at: str, name: str, mac: str) -> Json:
    """A network interface."""
    return resource(
        f"{at}/{name}",
        "EthernetInterface.v1_9_0.EthernetInterface",
        name,
        name,
        MACAddress=mac.upper(),
        PermanentMACAddress=mac.upper(),
        InterfaceEnabled=True,
        LinkStatus="LinkUp",
        Status=HEALTHY,
    )
