"""The config drive of a host that is seeded without Ironic: name, keys, network, as cloud-init reads them.

The same content that the region's operator gives to Ironic; kept in step with it by what cloud-init
accepts, not by shared code, because the lab knows nothing of the operator.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any

from lab import shell


@dataclass(frozen=True, kw_only=True)
class HostConfig:
    """What a host is told at its first boot."""

    name: str
    uuid: str
    domain: str
    mac: str
    """Of the out-of-band port; the other ports are the business of the playbooks."""
    address: IPv4Interface
    gateway: str
    dns: str
    authorized_key: str
    host_key: str
    """Private ed25519 key in OpenSSH's format."""
    host_key_public: str
    authority: str
    """Certificate of the region's CA, PEM."""
    image_sha256: str


def meta_data(config: HostConfig) -> dict[str, Any]:
    """Identity and the operator's key."""
    return {"uuid": config.uuid, "hostname": config.name, "public_keys": {"operator": config.authorized_key.strip()}}


def network_data(config: HostConfig) -> dict[str, Any]:
    """A static address on the out-of-band port, in OpenStack's form; Ironic takes the same for its agent."""
    default = {"network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": config.gateway}  # noqa: S104, a route
    return {
        "links": [{"id": "eth0", "type": "phy", "ethernet_mac_address": config.mac, "mtu": 1500}],
        "networks": [
            {
                "id": "oob",
                "network_id": "oob",
                "type": "ipv4",
                "link": "eth0",
                "ip_address": str(config.address.ip),
                "netmask": str(config.address.netmask),
                "routes": [default],
            }
        ],
        "services": [{"type": "dns", "address": config.dns}],
    }


def user_data(config: HostConfig) -> str:
    """Keys and files. JSON is YAML, and needs no rules about quoting."""
    files = {
        "/etc/gpuregion-image": json.dumps({"sha256": config.image_sha256}) + "\n",
        "/usr/local/share/ca-certificates/region-ca.crt": config.authority,
    }
    content = {
        "fqdn": f"{config.name}.{config.domain}",
        "ssh_keys": {"ed25519_private": config.host_key, "ed25519_public": config.host_key_public},
        "write_files": [{"path": path, "content": text, "permissions": "0644"} for path, text in files.items()],
        # After sshd is up: nobody waits for it at the first contact.
        "runcmd": [["update-ca-certificates"]],
    }
    return "#cloud-config\n" + json.dumps(content, indent=1) + "\n"


def write(config: HostConfig, iso: Path, work: Path) -> None:
    """Make the medium: ISO 9660 with the label that the config drive data source looks for."""
    shutil.rmtree(work, ignore_errors=True)
    latest = work / "openstack/latest"
    latest.mkdir(parents=True)
    (latest / "meta_data.json").write_text(json.dumps(meta_data(config)))
    (latest / "network_data.json").write_text(json.dumps(network_data(config)))
    (latest / "user_data").write_text(user_data(config))
    shell.run("mkisofs", "-quiet", "-R", "-V", "config-2", "-o", iso, work)
    iso.chmod(0o600)
    shutil.rmtree(work)
