"""Managers: the BMCs themselves, their restart, their network interface, and what a BlueField adds."""

from __future__ import annotations

from lab.fleet import accounts
from lab.fleet.accounts import require_administrator
from lab.fleet.answers import NO_CONTENT, Answer, Json, bad_value, refuse
from lab.fleet.call import Call
from lab.fleet.clock import calendar
from lab.fleet.hardware.model import Hardware, Manager
from lab.fleet.lifecycle import restart_bmc
from lab.fleet.resources.systems import SYSTEMS, interface
from lab.fleet.resources.tree import HEALTHY, ROOT, Tree, action, collection, link, resource
from lab.fleet.resources.updates import version
from lab.fleet.state import Deed

MANAGERS = f"{ROOT}/Managers"
_MODES = ("DpuMode", "NicMode")
_NVIDIA = "Oem/Nvidia"


def add(tree: Tree, hardware: Hardware) -> None:
    tree.add(collection(MANAGERS, "Manager", "Manager Collection", [m.id for m in hardware.managers]))
    for manager in hardware.managers:
        path = f"{MANAGERS}/{manager.id}"
        tree.dynamic(path, lambda call, m=manager: _manager(call, m))
        tree.action(f"{path}/Actions/Manager.Reset", _reset)
        tree.action(f"{path}/Actions/Manager.ResetToDefaults", _to_defaults)
        at = f"{path}/EthernetInterfaces"
        tree.add(collection(at, "EthernetInterface", "Ethernet Interface Collection", list(manager.interfaces)))
        for name in manager.interfaces:
            tree.dynamic(f"{at}/{name}", lambda call, at=at, name=name: _interface(call, at, name))
        if manager.oem:
            tree.dynamic(f"{path}/{_NVIDIA}", lambda call, path=path: _rshim(call, path), PATCH=_set_rshim)
    for computer in hardware.computers:
        if computer.oem:
            path = f"{SYSTEMS}/{computer.id}/{_NVIDIA}"
            tree.dynamic(path, lambda call, path=path: _mode(call, path))
            tree.action(f"{path}/Actions/Mode.Set", _set_mode)


def _manager(call: Call, manager: Manager) -> Json:
    path = f"{MANAGERS}/{manager.id}"
    return resource(
        path,
        "Manager.v1_18_0.Manager",
        manager.id,
        manager.id,
        ManagerType="BMC",
        Model=manager.model,
        UUID=call.endpoint.uuid(manager.id),
        FirmwareVersion=version(call, manager.component),
        DateTime=calendar(call.now),
        DateTimeLocalOffset="+00:00",
        PowerState="On",
        Status=HEALTHY,
        EthernetInterfaces=link(f"{path}/EthernetInterfaces"),
        Links={
            "ManagerForServers": [link(f"{SYSTEMS}/{id}") for id in manager.computers],
            "ManagerForChassis": [link(f"{ROOT}/Chassis/{manager.chassis}")],
        },
        Actions=action(path, "Manager.Reset", ResetType=["GracefulRestart", "ForceRestart"])
        | action(path, "Manager.ResetToDefaults", ResetType=["ResetAll"]),
    )


def _interface(call: Call, at: str, name: str) -> Json:
    entry = call.endpoint.entry
    address = {"Address": str(entry.bmc_address), "AddressOrigin": "DHCP", "SubnetMask": "255.255.255.0"}
    return interface(at, name, entry.bmc_mac) | {"IPv4Addresses": [address]}


def _reset(call: Call) -> Answer:
    require_administrator(call)
    call.required(ResetType=("GracefulRestart", "ForceRestart"))
    call.record(Deed.BMC_RESET)
    restart_bmc(call.state, call.hardware, call.now, call.takes("bmc_reset", call.durations.bmc_reset.spread))
    return NO_CONTENT


def _to_defaults(call: Call) -> Answer:
    """As delivered, but for the firmware and the host's power."""
    require_administrator(call)
    call.required(ResetType=("ResetAll",))
    call.record(Deed.FACTORY_RESET)
    state = call.state
    accounts.deliver(call.endpoint, state, must_change=True)
    state.subscriptions.clear()
    state.policy, state.lockout_threshold, state.lockout_s = "LastState", 4, 600
    restart_bmc(state, call.hardware, call.now, call.takes("bmc_reset", call.durations.bmc_reset.spread))
    return NO_CONTENT


def _mode(call: Call, path: str) -> Json:
    return {
        "@odata.id": path,
        "@odata.type": "#NvidiaComputerSystem.v1_0_0.NvidiaComputerSystem",
        "Mode": call.state.mode,
        "BaseMAC": call.endpoint.entry.macs[0].replace(":", "").upper(),
        "Actions": {"#NvidiaComputerSystem.ModeSet": {"target": f"{path}/Actions/Mode.Set"}},
    }


def _set_mode(call: Call) -> Answer:
    """NIC mode or DPU mode; the card needs its host's power cycled for it, which is not simulated."""
    require_administrator(call)
    mode = call.required(Mode=_MODES)["Mode"]
    call.state.mode = mode
    call.record(Deed.MODE, mode)
    return NO_CONTENT


def _rshim(call: Call, path: str) -> Json:
    return {
        "@odata.id": path,
        "@odata.type": "#NvidiaManager.v1_0_0.NvidiaManager",
        "BmcRShim": {"BmcRShimEnabled": call.state.rshim},
    }


def _set_rshim(call: Call) -> Answer:
    require_administrator(call)
    wanted = call.required(BmcRShim=dict)["BmcRShim"].get("BmcRShimEnabled")
    if not isinstance(wanted, bool):
        raise refuse(400, bad_value(wanted, "BmcRShim/BmcRShimEnabled", "true or false"))
    call.state.rshim, call.changed = wanted, True
    return NO_CONTENT
