"""What a look at the power of all nodes costs Ironic: as it is, with kept keys, and with the patch of docs/upstream.

    python -m benchmarks.ironic_power_sync [--racks 4] [--passes 3] [--limit-s 150] [--without-conductors]

First the looks alone: Ironic's own power interface and session cache over `--racks` simulated racks, one process for
each variant (benchmarks.ironic_look). Then one real Ironic (PostgreSQL, JSON-RPC) with a conductor for each variant, each in a conductor group of its own with
`--racks` racks of simulated compute trays (lab.fleet, HTTPS). Ironic's own periodic task does the looking. The
variants work one after another. Processor seconds are the conductor's, read from /proc, and looks are counted by the
BMCs, so the figures hold on a machine that does other work too. Needs PostgreSQL: `apt-get install postgresql`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import ironic

from benchmarks.fleet import running as fleet_running
from benchmarks.ironic_look import driver_infos
from benchmarks.termination import end_on_sigterm
from lab.fleet import description
from lab.fleet.describe import describe
from lab.fleet.kinds import Kind
from lab.fleet.pki import Authority
from lab.ironic_scale import nodes
from lab.ironic_scale.cluster import Cluster, Group, Settings, cluster, temporary_folder

PATCH = Path(__file__).parents[1] / "docs/upstream/ironic-session-key.patch"
REGION = 4500
REQUESTS = 2
"""That a look at a node with an open session is, as `benchmarks.ironic_look` with Ironic 39 makes the BMCs count."""
INTERVAL_S = 120
"""Ironic's own: a pass over all nodes starts that long after the last one."""
_SCENARIO = {
    "seed": 1,
    "factory_password_must_change": False,
    "kinds": {kind.value: {"latency_s": {"p50": 0.001, "p99": 0.002}} for kind in Kind},
}


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What one variant did."""

    first_s: float
    """Processor seconds a node until each had been looked at once; sessions are opened meanwhile."""
    look_s: float
    """Processor seconds a look at a node whose session is open."""
    looks: int
    rss_kib: float
    """Memory that the conductor grew by, a node."""


def patched_ironic(directory: Path) -> Path:
    """A copy of the installed Ironic with our patch, to come before it on the path."""
    source = Path(ironic.__file__).parent
    shutil.copytree(source, directory / "ironic", ignore=shutil.ignore_patterns("tests", "__pycache__"))
    subprocess.run(["patch", "-s", "-p1", "-d", directory, "-i", PATCH], check=True)
    return directory


def requests(control: str) -> tuple[int, int]:
    """Requests that a fleet has answered, and endpoints that got one."""
    totals = httpx.get(f"{control}/totals", trust_env=False).json()
    return totals["requests"], totals["touched"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def add_nodes(made: Cluster, group: str, fleet: description.Description, authority: Path) -> int:
    """One node for each compute tray of the fleet."""
    pattern: dict[str, str] = {
        "name": f"{group}-pattern",
        "driver": "fake-hardware",  # which may have any interfaces: nothing boots behind these BMCs
        "power_interface": "redfish",
        "management_interface": "redfish",
        "conductor_group": group,
    }
    headers = {"X-OpenStack-Ironic-API-Version": "1.81"}
    httpx.post(f"{made.url}/v1/nodes", json=pattern, headers=headers, timeout=60, trust_env=False).raise_for_status()
    infos = driver_infos(fleet, authority)
    nodes.copy(
        made.database,
        [
            nodes.Copy(name=f"{group}-{n:05d}", of=pattern["name"], group=group, driver_info=info)
            for n, info in enumerate(infos)
        ],
    )
    made.database.ask(
        f"UPDATE nodes SET provision_state = 'manageable' WHERE conductor_group = '{group}' AND driver_info <> '{{}}'"  # noqa: S608
    )
    return len(infos)


def look(made: Cluster, number: int, count: int, control: str, *, passes: int, limit_s: float) -> Seen:
    """Let a conductor look at its nodes until it has done so often enough, or for long enough."""
    conductor = made.conductors[number]
    began, rss, end = conductor.cpu_s, conductor.rss_mib, time.monotonic() + 4 * limit_s
    while requests(control)[1] < count:
        assert time.monotonic() < end, "a conductor does not look at its nodes"
        time.sleep(0.5)
    first = conductor.cpu_s - began
    grown = (conductor.rss_mib - rss) * 1024 / count
    (before, _), began, end = requests(control), conductor.cpu_s, time.monotonic() + limit_s
    while requests(control)[0] < before + passes * count * REQUESTS and time.monotonic() < end:
        time.sleep(0.5)
    looks, spent = (requests(control)[0] - before) // REQUESTS, conductor.cpu_s - began
    return Seen(first_s=first / count, look_s=spent / looks, looks=looks, rss_kib=grown)


def measure(racks: int, passes: int, limit_s: float, names: Sequence[str]) -> Generator[tuple[str, Seen]]:
    """Each variant's name and what it did, as soon as it has done it."""
    with temporary_folder() as at, ExitStack() as stack:
        groups = {
            "stock": Group(name="stock"),
            "kept": Group(name="kept", hardware_types="fake-hardware,redfish,redfish-kept-key"),
            "patched": Group(name="patched", python_path=patched_ironic(at / "patched")),
        }
        settings = Settings(
            groups=tuple(groups[name] for name in names), sync_interval_s=1, connection_cache_size=2 * racks * 18
        )
        authority = Authority(at / "tls")
        made = stack.enter_context(cluster(at / "ironic", settings))
        for number, name in enumerate(names):
            port, control = free_port(), free_port()
            place = at / f"fleet-{name}"
            place.mkdir()
            fleet = describe(racks, first=1 + number * racks, port=port)
            (place / "fleet.json").write_text(description.dump(fleet))
            (place / "scenario.yaml").write_text(json.dumps(_SCENARIO))
            with fleet_running(place, "--tls", str(at / "tls"), "--control", str(control)):
                count = add_nodes(made, name, fleet, authority.certificate)
                url = f"http://127.0.0.1:{control}"
                yield name, look(made, number, count, url, passes=passes, limit_s=limit_s)
                made.database.ask(f"UPDATE nodes SET maintenance = true WHERE conductor_group = '{name}'")  # noqa: S608
                time.sleep(10)  # what is under way ends before its BMCs do


def looks(racks: int, passes: int, names: Sequence[str]) -> Generator[tuple[str, dict[str, float]]]:
    """Each variant's name and what its looks cost without a conductor."""
    with temporary_folder() as at:
        (at / "fleet.json").write_text(description.dump(describe(racks, port=free_port())))
        (at / "scenario.yaml").write_text(json.dumps(_SCENARIO))
        patched = {**os.environ, "PYTHONPATH": str(patched_ironic(at / "patched"))}
        with fleet_running(at, "--tls", str(at / "tls")):
            for name in names:
                words = ["-m", "benchmarks.ironic_look", at / "fleet.json", at / "tls/ca.crt", str(passes)]
                done = subprocess.run(
                    [sys.executable, *words, *(["kept"] if name == "kept" else [])],
                    env=patched if name == "patched" else None,
                    capture_output=True,
                    text=True,
                    check=True,
                )
                yield name, json.loads(done.stdout)


def key_s() -> float:
    """Processor seconds of what Ironic does before each call to a BMC."""
    began = time.process_time()
    hashlib.pbkdf2_hmac("sha512", b"a password", b"https://127.64.1.1" * 4, 600_000)
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--racks", type=int, default=4, help="of 18 compute trays, for each variant")
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--limit-s", type=float, default=150)
    parser.add_argument("--variants", default="stock,kept,patched")
    parser.add_argument("--without-conductors", action="store_true", help="the looks alone")
    arguments = parser.parse_args()
    end_on_sigterm()
    names = arguments.variants.split(",")
    print(f"{arguments.racks * 18} BMCs a variant, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"600,000 rounds of PBKDF2 alone: {key_s():.3f} processor seconds\n")
    print(
        "| conductor | first pass, CPU s a node | a look, CPU s | looks | 4,500 nodes, CPU s a pass | cores at 120 s | KiB a node |"
    )
    print("|---|---|---|---|---|---|---|", flush=True)
    seen: dict[str, Seen] = {}
    for name, s in measure(arguments.racks, arguments.passes, arguments.limit_s, names):
        seen[name] = s
        cells = (
            name,
            f"{s.first_s:.3f}",
            f"{s.look_s:.4f}",
            str(s.looks),
            f"{s.look_s * REGION:,.0f}",
            f"{s.look_s * REGION / INTERVAL_S:.2f}",
            f"{s.rss_kib:.0f}",
        )
        print(f"| {' | '.join(cells)} |", flush=True)
    if "stock" in seen and "kept" in seen:
        print(f"\nkept keys: {seen['stock'].look_s / seen['kept'].look_s:.0f} times less than stock")


if __name__ == "__main__":
    main()
