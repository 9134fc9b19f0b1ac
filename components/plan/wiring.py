"""The hardware of a region as one document, for whoever plays it: the lab on a bench machine.

The lab reads this and nothing else of ours, so it could be swapped for racks and cables.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from components.plan.dns import records
from components.plan.fabric_model import Cable
from components.plan.model import HostPlan, RackPlan, RegionPlan


def wiring(plan: RegionPlan) -> dict[str, Any]:
    """Machines, switches, cables, edge links, records and services, ready for JSON."""
    fabric, endpoints = plan.fabric, plan.endpoints
    return {
        "name": plan.region,
        "domain": plan.domain,
        "oob": {"network": plan.oob.network, "gateway": plan.oob.gateway, "bridge": plan.oob.bridge},
        "machines": [_machine(host, rack) for rack in plan.racks for host in rack.hosts],
        "switches": [
            {
                "name": switch.name,
                "role": str(switch.role),
                "oob_address": switch.oob_address,
                "ports": [port.name for port in switch.ports],
            }
            for switch in fabric.switches
        ],
        "cables": [_cable(cable) for cable in fabric.cables],
        "edges": [
            {
                "port": edge.outside_port,
                "address": edge.outside_address,
                "via": edge.switch_address.partition("/")[0],
            }
            for edge in fabric.edges
        ],
        # All edges reach the same: the table of the outside has one route for each, over all edges.
        "edge_routes": list(fabric.edges[0].routes) if fabric.edges else [],
        "records": records(plan),
        "services": {
            "address": endpoints.address,
            "ironic": _port(endpoints.ironic),
            "images": _port(endpoints.images),
            "apt": _port(endpoints.apt_url),
            "registry": int(endpoints.registry.rpartition(":")[2]),
            "registry_tokens": int(endpoints.registry_tokens.rpartition(":")[2]),
            "s3": _port(endpoints.s3),
        },
        # Services run before there is a cluster; this is where it will be.
        "cluster": {
            "keys": f"https://{plan.cluster.api_external}:6443/openid/v1/jwks",
            "issuer": f"https://kubernetes.default.svc.{plan.cluster.domain}",
        },
    }


def _machine(host: HostPlan, rack: RackPlan) -> dict[str, Any]:
    return {
        "name": host.name,
        "serial": host.serial,
        "bmc_address": host.bmc_address,
        "disk_gib": rack.hardware.disk_gib,
        "memory_mib": rack.hardware.memory_mib,
        "gpus": rack.hardware.gpus,
        "nics": [{"name": nic.name, "mac": nic.mac, "oob": nic.is_oob} for nic in host.nics],
    }


def _cable(cable: Cable) -> dict[str, list[str]]:
    return {"a": [cable.a_device, cable.a_port], "b": [cable.b_device, cable.b_port]}


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)
