"""Inputs of the provider's resources. Everything in them is a plan-time fact or a reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.plan.fabric_model import SwitchPlan
from components.plan.inventory import ansible_inventory, file_variables, secret_variables
from components.plan.model import HostPlan, RackPlan, RegionPlan, TrayRole
from components.plan.naming import known_hosts_reference
from components.plan.renders.switches import config_text, dialect_of

DEPLOY_TIMEOUT_S = 900
"""For one tray, from its first power cycle to the host's answer; a deploy takes half a minute on the
bench and some minutes on hardware that counts its memory at each start."""

CONFIRM_IN_S = 60
"""A switch that is not confirmed in this time takes itself back."""

SETTLE_S = 15
"""For sessions to come up after an apply; they took 3 to 6 s on the bench."""

PLAYBOOK_TIMEOUT_S = 1800


def rack_inputs(plan: RegionPlan, rack: RackPlan) -> dict[str, Any]:
    """Inputs of `gpuregion:baremetal:Rack`."""
    endpoints = plan.endpoints
    credentials = endpoints.credentials
    return {
        "rack": rack.name,
        "protect": rack.protect,
        "ironic": {
            "url": endpoints.ironic,
            "credentials": credentials["ironic"],
            "ca": endpoints.ca_certificate,
        },
        "bmc_credentials": credentials["bmc"],
        "bmc_ca": endpoints.ca_certificate,
        "image": {
            "name": rack.image,
            "url": rack.image_url,
            "sha256": rack.image_sha256,
            "format": rack.image_format,
        },
        # Nothing is done to a machine that is not known by its serial number.
        "trays": {host.name: _tray(host, rack, plan) for host in rack.hosts if host.is_received},
        "ssh_key": credentials["ssh_key"],
        "ntp": list(endpoints.ntp),
        "deploy_timeout_s": DEPLOY_TIMEOUT_S,
    }


def _tray(host: HostPlan, rack: RackPlan, plan: RegionPlan) -> dict[str, Any]:
    return {
        "serial": host.serial,
        "bmc_url": host.bmc_url,
        "boot_mode": rack.hardware.boot_mode,
        "macs": {nic.name: nic.mac for nic in host.nics},
        "desired": "available" if host.role is TrayRole.SPARE else "active",
        "oob": {"address": host.oob_address, "prefix": host.oob_prefix, "gateway": host.oob_gateway},
        "hostname": host.name,
        "dns": list(plan.endpoints.dns),
    }


def switch_group_inputs(plan: RegionPlan) -> dict[str, Any]:
    """Inputs of `gpuregion:network:SwitchConfig`: all switches, changed as one transaction."""
    credentials = plan.endpoints.credentials
    return {
        "switches": {switch.name: _switch(switch, plan) for switch in plan.fabric.switches},
        "ssh": {
            "user": "root",
            "private_key": credentials["ssh_key"],
            "known_hosts": credentials["switch_known_hosts"],
        },
        "confirm_in_s": CONFIRM_IN_S,
        "settle_s": SETTLE_S,
    }


def _switch(switch: SwitchPlan, plan: RegionPlan) -> dict[str, Any]:
    names = dialect_of(switch).ports(switch)
    between = [port for port in switch.ports if port.peer_kind in ("spine", "leaf")]
    return {
        "address": switch.oob_address,
        "os": switch.os,
        "config": config_text(switch, plan),
        "expect_up": [names[port.name] for port in between],
        # Hosts come after the fabric, and spares are off.
        "may_be_down": [names[port.name] for port in switch.ports if port.peer_kind == "host"],
        "peers": {names[port.name]: [port.peer, port.peer_port] for port in between},
    }


def playbook_inputs(plan: RegionPlan, playbook: str, content: Mapping[str, str]) -> dict[str, Any]:
    """Inputs of `gpuregion:ansible:PlaybookRun`.

    `content` maps the playbook and each role it uses (`roles/<role>`) to a digest of its files; the
    inventory holds what these roles read.
    """
    roles = [name.removeprefix("roles/") for name in content if name.startswith("roles/")] or None
    return {
        "playbook": playbook,
        "content": dict(content),
        "inventory": ansible_inventory(plan, roles),
        "variables": {},
        "file_variables": file_variables(plan, roles),
        "secret_variables": secret_variables(plan, roles),
        "ssh": {
            "private_key": plan.endpoints.credentials["ssh_key"],
            "known_hosts": known_hosts_reference(plan.region),
        },
        "timeout_s": PLAYBOOK_TIMEOUT_S,
    }
