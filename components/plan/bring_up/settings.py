"""Settings of one host: from what its BMC shows to what is to be set, and whether it has taken effect."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.spec.catalogue.bring_up import EndpointProfile


@dataclass(frozen=True, kw_only=True, slots=True)
class SettingsSeen:
    """What counts now, and what waits for the next boot."""

    bios: Mapping[str, Any]
    bios_pending: Mapping[str, Any]
    secure_boot: bool
    secure_boot_pending: bool
    order: tuple[str, ...]
    order_pending: tuple[str, ...]
    options: Mapping[str, str]
    """Boot option -> its name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SettingsPatch:
    """What is still to be set. Nothing of it is set already or waits for the boot."""

    bios: Mapping[str, str | bool]
    secure_boot: bool | None
    order: tuple[str, ...] | None


def patch_for(profile: EndpointProfile, seen: SettingsSeen) -> SettingsPatch:
    """From what is wanted and seen to what is to be sent."""
    ahead = {**seen.bios, **seen.bios_pending}
    order = wanted_order(profile, seen)
    return SettingsPatch(
        bios={s.attribute: s.value for s in profile.bios if ahead.get(s.attribute) != s.value},
        secure_boot=profile.secure_boot if profile.secure_boot not in (None, seen.secure_boot_pending) else None,
        order=order if order != seen.order_pending else None,
    )


def not_in_effect(profile: EndpointProfile, seen: SettingsSeen) -> tuple[str, ...]:
    """Settings that do not count yet, by name."""
    names = [s.attribute for s in profile.bios if seen.bios.get(s.attribute) != s.value]
    if profile.secure_boot is not None and seen.secure_boot != profile.secure_boot:
        names.append("SecureBoot")
    if wanted_order(profile, seen) != seen.order:
        names.append("BootOrder")
    return tuple(names)


def wanted_order(profile: EndpointProfile, seen: SettingsSeen) -> tuple[str, ...]:
    """The wanted options first, all in the order that they have among themselves."""
    if profile.boot_first is None:
        return seen.order_pending
    first = profile.boot_first
    return tuple(sorted(seen.order_pending, key=lambda id: not seen.options.get(id, "").startswith(first)))


def read_settings(
    *,
    bios: Mapping[str, Any],
    bios_pending: Mapping[str, Any],
    secure_boot: Mapping[str, Any],
    system: Mapping[str, Any],
    system_pending: Mapping[str, Any],
    options: Sequence[Mapping[str, Any]],
) -> SettingsSeen:
    """From the resources: Bios and its Settings, SecureBoot, the system and its Settings, its boot options."""
    return SettingsSeen(
        bios=bios["Attributes"],
        bios_pending=bios_pending.get("Attributes", {}),
        secure_boot=secure_boot.get("SecureBootCurrentBoot") == "Enabled",
        secure_boot_pending=bool(secure_boot.get("SecureBootEnable")),
        order=tuple(system["Boot"]["BootOrder"]),
        order_pending=tuple(system_pending["Boot"]["BootOrder"]),
        options={str(o["BootOptionReference"]): str(o.get("DisplayName", "")) for o in options},
    )


def digest_of(value: Any) -> str:
    """Of what is set, so that the journal knows the same setting again."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
