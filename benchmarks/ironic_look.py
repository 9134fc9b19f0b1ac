"""Looks at the power of a fleet's compute trays as a conductor does, without one; prints what it cost as JSON.

    python -m benchmarks.ironic_look FLEET.json CA.crt PASSES [kept]

Owns one variant of benchmarks.ironic_power_sync, in a process of its own: Ironic's own `RedfishPower` and session
cache, whichever Ironic is on the path; with `kept`, the hardware type that keeps keys is loaded.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ironic.conf import CONF
from ironic.drivers.modules.redfish.power import RedfishPower

from lab.fleet import description
from lab.fleet.kinds import Kind

SYSTEM = "/redfish/v1/Systems/System_0"


def driver_infos(fleet: description.Description, authority: Path) -> list[dict[str, str]]:
    """What Ironic has to know of each compute tray."""
    return [
        {
            "redfish_address": f"https://{tray.bmc_address}:{tray.bmc_port}",
            "redfish_system_id": SYSTEM,
            "redfish_username": tray.bmc_username,
            "redfish_password": tray.bmc_password,
            "redfish_verify_ca": str(authority),
        }
        for rack in fleet.values()
        for tray in rack.values()
        if tray.kind is Kind.COMPUTE_TRAY
    ]


def main() -> None:
    described, authority, passes, *more = sys.argv[1:]
    CONF([], project="ironic")
    infos = driver_infos(description.load(Path(described)), Path(authority))
    CONF.set_override("connection_cache_size", 2 * len(infos), "redfish")
    CONF.set_override("auth_type", "basic", "redfish")
    if "kept" in more:
        from ironic_redfish_kept_key.hardware import RedfishKeptKeyHardware

        RedfishKeptKeyHardware()
    power: Any = RedfishPower()
    tasks = [
        SimpleNamespace(node=SimpleNamespace(uuid=f"n{n}", driver="redfish", driver_info=info))
        for n, info in enumerate(infos)
    ]

    def look_s() -> float:
        began = time.process_time()
        for task in tasks:
            assert power.get_power_state(task) in ("power on", "power off")
        return (time.process_time() - began) / len(tasks)

    first = look_s()
    print(json.dumps({"nodes": len(tasks), "first_s": first, "look_s": min(look_s() for _ in range(int(passes)))}))


if __name__ == "__main__":
    main()
