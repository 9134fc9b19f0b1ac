"""What waits for the next boot: boot override and order, BIOS attributes, Secure Boot."""

from __future__ import annotations

from typing import cast

from lab.fleet.accounts import require_administrator
from lab.fleet.answers import NO_CONTENT, Answer, Json, Message, bad_value, malformed, missing, refuse, unknown
from lab.fleet.call import Call
from lab.fleet.hardware.model import Computer
from lab.fleet.resources.tree import Tree, action, collection, link, resource
from lab.fleet.state import Deed

TARGETS = ("None", "Pxe", "Hdd", "UefiHttp", "Cd", "BiosSetup", "UefiBootNext")
_ENABLED = ("Disabled", "Once", "Continuous")
_APPLIES = {"@odata.type": "#Settings.v1_3_5.Settings", "SupportedApplyTimes": ["OnReset"]}
_DISK = "Boot0020"
_BOOT_TYPE = "ComputerSystem.v1_20_0.ComputerSystem"


def add(tree: Tree, computer: Computer, path: str) -> None:
    if computer.boot:
        tree.dynamic(f"{path}/Settings", lambda call: _pending_boot(call, computer, path), PATCH=_set_boot)
        tree.action(f"{path}/Actions/ComputerSystem.SetDefaultBootOrder", _default_order)
        tree.dynamic(
            f"{path}/BootOptions",
            lambda call: collection(f"{path}/BootOptions", "BootOption", "Boot Options", list(_options(call))),
        )
        for id in ("Boot0000", "Boot0001", _DISK):
            tree.dynamic(f"{path}/BootOptions/{id}", lambda call, id=id: _option(call, path, id))
    if computer.bios is not None:
        bios = f"{path}/Bios"
        tree.dynamic(bios, lambda call: _bios(call, computer, bios))
        tree.dynamic(
            f"{bios}/Settings",
            lambda call: resource(
                f"{bios}/Settings", "Bios.v1_2_0.Bios", "Settings", "BIOS Settings", Attributes=call.state.bios_pending
            ),
            PATCH=lambda call: _set_bios(call, computer),
        )
        tree.action(f"{bios}/Actions/Bios.ResetBios", lambda call: _reset_bios(call, computer))
    if computer.secure_boot:
        tree.dynamic(f"{path}/SecureBoot", lambda call: _secure_boot(call, path), PATCH=_set_secure_boot)


def shown(call: Call, computer: Computer, path: str) -> Json:
    """What a system resource tells of them."""
    found: Json = {}
    if computer.boot:
        found["@Redfish.Settings"] = _APPLIES | {"SettingsObject": link(f"{path}/Settings")}
        found["Boot"] = _boot(call, call.state.boot.order, path)
        found["Actions"] = action(path, "ComputerSystem.SetDefaultBootOrder")
    if computer.bios is not None:
        found["Bios"] = link(f"{path}/Bios")
    if computer.secure_boot:
        found["SecureBoot"] = link(f"{path}/SecureBoot")
    return found


def _boot(call: Call, order: list[str] | None, path: str) -> Json:
    return {
        "BootSourceOverrideEnabled": call.state.boot.enabled,
        "BootSourceOverrideTarget": call.state.boot.target,
        "BootSourceOverrideTarget@Redfish.AllowableValues": list(TARGETS),
        "BootSourceOverrideMode": "UEFI",
        "BootOptions": link(f"{path}/BootOptions"),
        "BootOrder": order or list(_options(call)),
    }


def _options(call: Call) -> dict[str, str]:
    """Boot option -> the name that it is found by."""
    macs = call.endpoint.entry.macs
    cards = (macs[0], macs[2]) if len(macs) > 2 else macs[1:2]
    names = {f"Boot{n:04X}": f"UEFI HTTPv4 (MAC:{mac.replace(':', '').upper()})" for n, mac in enumerate(cards)}
    return names | {_DISK: "Ubuntu"}


def _option(call: Call, path: str, id: str) -> Json:
    # A path is looked up for the kind, and this card may not be in it.
    name = _options(call).get(id, "None")
    return resource(
        f"{path}/BootOptions/{id}",
        "BootOption.v1_0_4.BootOption",
        id,
        name,
        BootOptionReference=id,
        BootOptionEnabled=name != "None",
        DisplayName=name,
    )


def _pending_boot(call: Call, computer: Computer, path: str) -> Json:
    boot = call.state.boot
    return resource(
        f"{path}/Settings",
        _BOOT_TYPE,
        "Settings",
        f"{computer.id} Pending Settings",
        Boot=_boot(call, boot.pending_order or boot.order, path),
    )


def _set_boot(call: Call) -> Answer:
    require_administrator(call)
    asked = call.required(Boot=dict)["Boot"]
    boot, problems = call.state.boot, [unknown(name) for name in asked if name not in _BOOT_SETTABLE]
    target, enabled = asked.get("BootSourceOverrideTarget"), asked.get("BootSourceOverrideEnabled")
    order, mode = asked.get("BootOrder"), asked.get("BootSourceOverrideMode", "UEFI")
    for name, value, allowed in (
        ("BootSourceOverrideTarget", target, TARGETS),
        ("BootSourceOverrideEnabled", enabled, _ENABLED),
        ("BootSourceOverrideMode", mode, ("UEFI",)),
    ):
        if value is not None and value not in allowed:
            problems.append(bad_value(value, name, " or ".join(allowed)))
    if order is not None and not _is_permutation(order, list(_options(call))):
        problems.append(bad_value(order, "BootOrder", "each of the BootOptions once"))
    if problems:
        raise refuse(400, *problems)
    boot.target = target or boot.target
    # A target without a word on how long it counts is meant for the next boot.
    boot.enabled = enabled or ("Once" if target and boot.enabled == "Disabled" else boot.enabled)
    if boot.enabled == "Disabled":
        boot.target = "None"
    boot.pending_order = order or boot.pending_order
    call.record(Deed.BOOT, " ".join([boot.target, boot.enabled] + (["order"] if order else [])))
    return NO_CONTENT


_BOOT_SETTABLE = frozenset(
    ["BootSourceOverrideTarget", "BootSourceOverrideEnabled", "BootSourceOverrideMode", "BootOrder"]
)


def _is_permutation(found: object, of: list[str]) -> bool:
    return isinstance(found, list) and sorted(map(str, cast("list[object]", found))) == sorted(of)


def _default_order(call: Call) -> Answer:
    require_administrator(call)
    call.state.boot.order = call.state.boot.pending_order = None
    call.record(Deed.BOOT, "default order")
    return NO_CONTENT


def _bios(call: Call, computer: Computer, path: str) -> Json:
    return resource(
        path,
        "Bios.v1_2_0.Bios",
        "Bios",
        "BIOS Configuration",
        Attributes={**(computer.bios or {}), **call.state.bios},
        Actions=action(path, "Bios.ResetBios"),
        **{"@Redfish.Settings": _APPLIES | {"SettingsObject": link(f"{path}/Settings")}},
    )


def _set_bios(call: Call, computer: Computer) -> Answer:
    require_administrator(call)
    asked = call.json()
    attributes, others = asked.pop("Attributes", None), {n for n in asked if not n.startswith("@Redfish.")}
    if not isinstance(attributes, dict):
        raise missing("Attributes") if attributes is None else malformed("Attributes is not an object.")
    known = computer.bios or {}
    problems: list[Message] = [unknown(n) for n in others]
    for name, value in attributes.items():  # pyright: ignore[reportUnknownVariableType]  # any JSON
        if name not in known:
            problems.append(unknown(f"Attributes/{name}"))
        elif type(value) is not type(known[name]):  # pyright: ignore[reportUnknownArgumentType]
            problems.append(bad_value(value, f"Attributes/{name}"))  # pyright: ignore[reportUnknownArgumentType]
        elif name in computer.choices and value not in computer.choices[name]:
            problems.append(bad_value(value, f"Attributes/{name}", " or ".join(computer.choices[name])))  # pyright: ignore[reportUnknownArgumentType]
    if problems:
        raise refuse(400, *problems)
    call.state.bios_pending.update(attributes)  # pyright: ignore[reportUnknownArgumentType]
    for name, value in attributes.items():  # pyright: ignore[reportUnknownVariableType]
        call.record(Deed.BIOS, f"{name}={value}")
    return NO_CONTENT


def _reset_bios(call: Call, computer: Computer) -> Answer:
    require_administrator(call)
    call.state.bios_pending = dict(computer.bios or {})
    call.record(Deed.BIOS, "defaults")
    return NO_CONTENT


def _secure_boot(call: Call, path: str) -> Json:
    state = call.state
    pending = state.secure_boot if state.secure_boot_pending is None else state.secure_boot_pending
    return resource(
        f"{path}/SecureBoot",
        "SecureBoot.v1_1_0.SecureBoot",
        "SecureBoot",
        "UEFI Secure Boot",
        SecureBootEnable=pending,
        SecureBootCurrentBoot="Enabled" if state.secure_boot else "Disabled",
        SecureBootMode="UserMode",
    )


def _set_secure_boot(call: Call) -> Answer:
    require_administrator(call)
    wanted = call.required(SecureBootEnable=bool)["SecureBootEnable"]
    call.state.secure_boot_pending = wanted
    call.record(Deed.SECURE_BOOT, str(wanted))
    return NO_CONTENT
