"""The inventory of a simulated fleet, read by this project's client and by plain sushy in threads.

    python -m benchmarks.fleet_inventory [--racks 10] [--profile typical] [--threads 8 32 128]

The same work for both: log in to each endpoint, read its system, and each component of its firmware inventory. Each
way runs in a process of its own on one fleet; sushy with several numbers of threads, of which the best is what counts.
sushy reads what it needs to find its way (service root, collections) as its users do.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import resource
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.fleet_bring_up import PROFILES, region_of, scenario_of
from benchmarks.termination import end_on_sigterm
from components.clients.bmc.redfish import BmcClients
from components.clients.bmc.supplier import read_supplier
from components.engine.pace import Pace
from components.plan.bring_up.compile import compile_bring_up
from components.plan.bring_up.work import EndpointWork
from lab.fleet import description
from stacks.cli.simulator import Simulator

THREADS = (8, 32, 128)
SYSTEMS = {"compute_tray": "System_0", "dpu": "Bluefield", "nvlink_switch": "System_0", "power_shelf": "system"}
FIRMWARE = "UpdateService/FirmwareInventory"


def ours(work: list[EndpointWork], passwords: Mapping[str, str], ca: Path) -> int:
    """Requests made by this project's client, paced by itself."""
    made = 0

    async def one(clients: BmcClients, endpoint: EndpointWork) -> None:
        nonlocal made
        bmc = clients.connect(endpoint)
        bmc.use(endpoint.username, passwords[endpoint.name])
        await bmc.get(f"Systems/{SYSTEMS[endpoint.kind]}")
        members = (await bmc.get(FIRMWARE))["Members"]
        await asyncio.gather(*(bmc.get(member["@odata.id"]) for member in members))
        made += 2 + len(members)

    async def every() -> None:
        async with BmcClients(Pace(), ssl.create_default_context(cafile=ca)) as clients:
            await asyncio.gather(*(one(clients, endpoint) for endpoint in work))

    asyncio.run(every())
    return made


def by_sushy(work: list[EndpointWork], passwords: Mapping[str, str], ca: Path, threads: int) -> int:
    """Resources read by sushy."""
    import sushy  # the peer: only its own process pays for it
    from sushy import auth
    from sushy.resources.updateservice import softwareinventory

    def one(endpoint: EndpointWork) -> int:
        basic: Any = auth.BasicAuth(username=endpoint.username, password=passwords[endpoint.name])
        verify: Any = str(ca)  # annotated as a bool, documented as a path too
        root: Any = sushy.Sushy(endpoint.address, auth=basic, verify=verify)
        _ = root.get_system(f"/redfish/v1/Systems/{SYSTEMS[endpoint.kind]}").power_state
        # not by the update service: sushy refuses one without actions, which schema and power shelves allow
        inventory: Any = softwareinventory.SoftwareInventoryCollection(root._conn, f"/redfish/v1/{FIRMWARE}")
        return 2 + len(inventory.get_members())

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(one, work))


def child(folder: Path, racks: int, threads: int) -> dict[str, float]:
    """Figures of one way; 0 threads is ours."""
    delivered, _ = read_supplier(folder / "fleet.json")
    plan = compile_bring_up(region_of(racks), delivered, None)
    work = [endpoint for rack in plan.racks for endpoint in rack.endpoints]
    described = description.load(folder / "fleet.json")
    passwords = {
        f"{rack}/{place}": entry.bmc_password for rack, there in described.items() for place, entry in there.items()
    }
    ca = folder / "tls" / "ca.crt"
    cpu, began = time.process_time(), time.monotonic()
    read = by_sushy(work, passwords, ca, threads) if threads else ours(work, passwords, ca)
    return {
        "seconds": time.monotonic() - began,
        "cpu_ms": (time.process_time() - cpu) / len(work) * 1e3,
        "rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "read": read / len(work),
        "endpoints": len(work),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--racks", type=int, default=10)
    parser.add_argument("--profile", choices=list(PROFILES), default="typical")
    parser.add_argument("--threads", type=int, nargs="+", default=list(THREADS))
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    end_on_sigterm()
    if options.child:
        folder, racks, threads = options.child
        with contextlib.redirect_stdout(sys.stderr):
            found = child(Path(folder), int(racks), int(threads))
        print(json.dumps(found))
        return
    region, seen = region_of(options.racks), dict[int, dict[str, float]]()
    scenario = scenario_of(options.profile, 1).model_copy(update={"factory_password_must_change": False})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "scenario.yaml").write_text(scenario.model_dump_json(exclude_unset=True))
        with Simulator(folder, folder / "scenario.yaml", region):
            for threads in (*options.threads, 0):
                command = [sys.executable, "-m", "benchmarks.fleet_inventory", "--child"]
                command += [name, str(options.racks), str(threads)]
                done = subprocess.run(command, check=False, capture_output=True, text=True)
                if done.returncode:
                    raise SystemExit(done.stderr)
                seen[threads] = json.loads(done.stdout)
    print(f"{options.racks} racks, answers {options.profile}, load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores")
    print(f"  {'way':>16} {'seconds':>8} {'endpoints/s':>11} {'cpu ms each':>11} {'MiB':>6} {'read each':>9}")
    for threads, found in seen.items():
        print(
            f"  {f'sushy, {threads}' if threads else 'this project':>16} {found['seconds']:>8.1f}"
            f" {found['endpoints'] / found['seconds']:>11.1f} {found['cpu_ms']:>11.1f} {found['rss_mib']:>6.0f}"
            f" {found['read']:>9.1f}"
        )
    best_s = min(found["seconds"] for threads, found in seen.items() if threads)
    print(f"  {best_s / seen[0]['seconds']:.1f} times as fast as the best number of threads")


if __name__ == "__main__":
    main()
