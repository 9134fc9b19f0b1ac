"""Records of trays for Ironic, in the form that `baremetal create FILE` and its API take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components.plan.bring_up.work import EndpointWork
from components.plan.naming import host_name
from components.spec.catalogue.bring_up import EndpointProfile


def node_record(rack: str, tray: EndpointWork, profile: EndpointProfile, *, password: str, ca: str) -> dict[str, Any]:
    """One node. `password` is a reference such as `file:PATH#NAME`, or the password where the record goes to Ironic's
    API at once; files hold references only."""
    return {
        "name": host_name(rack, int(tray.place)),
        "driver": "redfish",
        "driver_info": {
            "redfish_address": tray.address,
            "redfish_system_id": f"/redfish/v1/{profile.system}",
            "redfish_username": tray.username,
            "redfish_password": password,
            "redfish_verify_ca": ca,
        },
        "properties": {"capabilities": "boot_mode:uefi"},
        "extra": {"serial": tray.serial, "rack": rack, "slot": int(tray.place)},
    }


def node_file(records: Sequence[Mapping[str, Any]], macs: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """All nodes of a rack with their ports, which the file form nests; `macs` by node."""
    return {
        "nodes": [
            {**record, "ports": [{"address": mac, "pxe_enabled": n == 0} for n, mac in enumerate(macs[record["name"]])]}
            for record in records
        ]
    }
