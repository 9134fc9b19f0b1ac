"""The config drive: what a host learns at its first boot.

Owns its content, as data: identity, network, keys and the marks that let a check recognise the
deployment. Pure. What a running host must keep learning (time, packages, routing) is the playbooks'.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from components.clients.host import IMAGE_MARK
from components.clients.hostkeys import HostKey
from components.provider.rack_inputs import Image, Tray

CA_FILE = "/usr/local/share/ca-certificates/region-ca.crt"
RESOLVER = "/etc/resolv.conf"
ANYWHERE = "0.0.0.0"  # noqa: S104 - a route, not a socket
_NAMESPACE = uuid.UUID("6b0f2f0e-6a5c-5d0e-9d0b-5f0f4a1d7c55")


def network_data(tray: Tray, *, default_route: bool) -> dict[str, Any]:
    """OpenStack's network_data.json: the out-of-band network, without DHCP.

    The agent's ramdisk and the host have the same address. Only the ramdisk has a default route: on a
    host one out of band would carry traffic while the fabric is broken, and hide it.
    """
    nic, mac = tray.oob_nic
    default = {"network": ANYWHERE, "netmask": ANYWHERE, "gateway": str(tray.oob.gateway)}
    return {
        "links": [{"id": nic, "type": "phy", "ethernet_mac_address": mac, "mtu": 1500}],
        "networks": [
            {
                "id": "oob",
                "network_id": "oob",
                "type": "ipv4",
                "link": nic,
                "ip_address": str(tray.oob.address),
                "netmask": tray.oob.netmask,
                "routes": [default] if default_route else [],
            }
        ],
        "services": [{"type": "dns", "address": str(address)} for address in tray.dns],
    }


def config_drive(
    name: str, tray: Tray, image: Image, *, deployment: str, host_key: HostKey, authorized_key: str, ca: str
) -> dict[str, Any]:
    """Everything for Ironic's `configdrive`."""
    return {
        "meta_data": {
            # cloud-init does its first-boot work once for each instance id.
            "uuid": str(uuid.uuid5(_NAMESPACE, f"{name}/{deployment}")),
            "name": name,
            "hostname": tray.hostname,
            "public_keys": {"operator": authorized_key},
        },
        "network_data": network_data(tray, default_route=False),
        "user_data": _user_data(tray, image, host_key, authorized_key, ca),
    }


def _user_data(tray: Tray, image: Image, host_key: HostKey, authorized_key: str, ca: str) -> str:
    files = {IMAGE_MARK: json.dumps({"sha256": image.sha256}) + "\n", CA_FILE: ca}
    if tray.dns:
        # Until the playbooks own it. cloud-init itself writes it only where resolvconf is installed.
        files[RESOLVER] = "".join(f"nameserver {address}\n" for address in tray.dns)
    cloud_config = {
        "ssh_deletekeys": True,
        "ssh_keys": {"ed25519_private": host_key.private, "ed25519_public": host_key.public},
        "ssh_authorized_keys": [authorized_key],
        "disable_root": False,
        "ssh_pwauth": False,
        "write_files": [{"path": path, "content": text, "permissions": "0644"} for path, text in files.items()],
        "runcmd": [["sh", "-c", "if command -v update-ca-certificates; then update-ca-certificates; fi"]],
    }
    # JSON is YAML, and needs no second library to be written safely.
    return "#cloud-config\n" + json.dumps(cloud_config, indent=1)
