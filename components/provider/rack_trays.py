"""From a rack's inputs to what each tray's worker needs.

Owns the fields of an Ironic node, the reading of secrets for them, and the pinned host keys.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import Any

from components.clients.host import HostIdentity, identify
from components.clients.hostkeys import (
    HostKey,
    ensure_host_key,
    pin,
    public_half,
    region_hostkeys,
    region_known_hosts,
)
from components.clients.ironic_diagnosis import RUNBOOK
from components.clients.redfish import knock
from components.clients.secrets import Credentials, ca_context, resolve
from components.clients.ssh import SshAccess
from components.errors import DeviceError, Problem
from components.provider.config_drive import config_drive, network_data
from components.provider.handler import Context
from components.provider.rack_inputs import RackInputs, Tray
from components.provider.tray_access import ACCESS, access_digests, bmc_logins, driver_info
from components.provider.tray_plan import TrayPlan
from components.provider.tray_state import DEPLOYMENT, SERIAL

HOST_POLL_S = 1.0


def registered_trays(rack: RackInputs, context: Context) -> dict[str, TrayPlan]:
    """Every tray's facts. Makes and pins host keys, so that the first contact is already safe."""
    bmcs = bmc_logins(rack, context)
    tls = ca_context(context.project, rack.bmc_ca)
    operator = resolve(context.project, rack.ssh_key)
    region_ca = resolve(context.project, rack.ironic.ca, private=False)
    digests = access_digests(rack, context)
    folder = region_hostkeys(context.project, context.region)
    keys = {name: ensure_host_key(folder, name) for name in rack.trays}
    known_hosts = region_known_hosts(context.project, context.region)
    pin(known_hosts, {str(rack.trays[name].oob.address): key.public for name, key in keys.items()})
    access = SshAccess(
        user="root",
        private_key=operator,
        known_hosts="".join(f"{rack.trays[name].oob.address} {key.public}\n" for name, key in keys.items()),
        known_hosts_source=str(known_hosts.relative_to(context.project)),
    )
    return {
        name: TrayPlan(
            name=name,
            serial=tray.serial,
            macs=frozenset(tray.macs.values()),
            oob_mac=tray.oob_nic[1],
            bmc_url=tray.bmc_url,
            registration=_registration(name, tray, bmcs[name], digests[name]),
            access=digests[name],
            instance=_instance(rack, name),
            config_drive=_drive(rack, name, keys[name], public_half(operator), region_ca),
            bmc_answers=_bmc_answers(name, tray, bmcs[name], tls),
            host_answers=_host_answers(rack, name, access),
        )
        for name, tray in rack.trays.items()
    }


def _registration(name: str, tray: Tray, bmc: Credentials, access: str) -> dict[str, Any]:
    """Fields of the Ironic node, by its natural key."""
    return {
        "name": name,
        "driver": "redfish",
        "boot_interface": "redfish-virtual-media",
        "deploy_interface": "direct",
        "inspect_interface": "agent",
        "resource_class": "baremetal",
        "properties": {"capabilities": f"boot_mode:{tray.boot_mode}", "cpu_arch": "x86_64"},
        "driver_info": driver_info(tray, bmc),
        "extra": {SERIAL: tray.serial, ACCESS: access},
        "network_data": network_data(tray, default_route=True),
    }


def _instance(rack: RackInputs, name: str) -> dict[str, Any]:
    return {
        "image_source": rack.image.url,
        "image_os_hash_algo": "sha256",
        "image_os_hash_value": rack.image.sha256,
        "image_disk_format": rack.image.format,
        DEPLOYMENT: rack.deployment(name),
    }


def _drive(rack: RackInputs, name: str, key: HostKey, operator: str, ca: str) -> Callable[[], dict[str, Any]]:
    return lambda: config_drive(
        name,
        rack.trays[name],
        rack.image,
        deployment=rack.deployment(name),
        host_key=key,
        authorized_key=operator,
        ca=ca,
    )


def _bmc_answers(name: str, tray: Tray, bmc: Credentials, tls: ssl.SSLContext) -> Callable[[], Awaitable[None]]:
    return lambda: knock(name, tray.bmc_url, bmc, tls)


def _host_answers(rack: RackInputs, name: str, access: SshAccess) -> Callable[[], Awaitable[None]]:
    address = str(rack.trays[name].oob.address)

    async def answers() -> None:
        deadline = time.monotonic() + rack.deploy_timeout_s
        while True:
            try:
                found = await identify(address, access)
                break
            except DeviceError as error:
                if time.monotonic() > deadline:
                    raise DeviceError(f"{name} is deployed and does not answer", _silent(name, error)) from error
            await asyncio.sleep(HOST_POLL_S)
        if found.image_sha256 != rack.image.sha256:
            raise DeviceError(f"{name} runs another image", [_other_image(name, found, rack.image.sha256)])

    return answers


def _silent(name: str, error: DeviceError) -> list[Problem]:
    return [
        Problem(
            path=name,
            message=f"the host is deployed and does not answer on SSH: {p.message}",
            found=p.found,
            allowed=p.allowed,
            remedy=f"read the host's console. {RUNBOOK}",
            rule="host-silent",
        )
        for p in error.problems
    ]


def _other_image(name: str, found: HostIdentity, wanted: str) -> Problem:
    return Problem(
        path=name,
        message="the host answers with another image than was deployed: it did not boot from its disk",
        found=found.image_sha256 or "no mark of an image",
        allowed=wanted,
        remedy=f"look at the boot order of the tray. {RUNBOOK}",
        rule="image-differs",
    )
