"""A region's machines deployed through a real Ironic that rejects above its limit: our admission against all at once.

    python -m benchmarks.ironic_scale [--nodes 4500] [--deploy 4500] [--groups 2] [--cap 250] [--delay-s 30]
                                     [--redfish-racks 0]

Ironic runs as several processes (lab.ironic_scale: PostgreSQL, JSON-RPC, a conductor for each group). Nodes are
`fake-hardware` with delays; the compute trays of `--redfish-racks` simulated racks have their power read and set by
Redfish. One node of each sort is enrolled by the API, the others are copies of its row.

All at once is what Ironic does to a client that just asks: no retries, 8 connections. The optimum is what Ironic's
limit and delays force: rounds of `--cap` deployments of the time that one takes alone. `--deploy` has admission
deploy some of the nodes only, while the others are there: 4,500 are 18 rounds. Needs PostgreSQL:
`apt-get install postgresql`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import platform
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from benchmarks.fleet import running as fleet_running
from benchmarks.ironic_look import driver_infos
from benchmarks.ironic_power_sync import free_port
from benchmarks.termination import end_on_sigterm
from components.clients.ironic import CONNECTIONS, MICROVERSION, Ironic, IronicError
from components.clients.ironic_model import Node
from components.clients.ironic_watch import NodeWatch
from components.engine.admission import Admission
from lab.fleet import description
from lab.fleet.describe import describe
from lab.fleet.kinds import Kind
from lab.fleet.pki import Authority
from lab.ironic_scale import nodes
from lab.ironic_scale.cluster import Cluster, Group, Settings, cluster, temporary_folder

TIMEOUT_S = 7200
_QUICK = {"latency_s": {"p50": 0.05, "p99": 0.3}}


class Counted(httpx.AsyncBaseTransport):
    """Counts answers by what they mean to an operator."""

    def __init__(self) -> None:
        self._inner = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=CONNECTIONS))
        self.answers: Counter[str] = Counter()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            response = await self._inner.handle_async_request(request)
        except httpx.TransportError:
            self.answers["broken"] += 1
            raise
        if request.method == "PUT":
            status = response.status_code
            kind = "accepted" if response.is_success else f"broken {status}" if status == 500 else f"rejected {status}"
            self.answers[kind] += 1
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()

    @property
    def rejected(self) -> int:
        return sum(count for kind, count in self.answers.items() if kind.startswith("rejected"))


@dataclass(kw_only=True)
class Run:
    """How one way of asking went."""

    answers: Counter[str]
    rejected: int
    active: int
    """Nodes that are deployed at the end."""
    seconds: float
    cpu_s: dict[str, float] = field(default_factory=dict[str, float])
    peak: int = 0
    """Most deployments that Ironic had under way."""


def is_over(node: Node | None) -> bool:
    """Deployed, or failed and let go."""
    return node is not None and (
        node.provision_state == "active" or (node.provision_state == "deploy failed" and node.reservation is None)
    )


async def enrol(made: Cluster, group: str, name: str, body: Mapping[str, object]) -> None:
    """A node that can be deployed, by the API."""
    ironic = Ironic(made.url, None)
    watch = NodeWatch(ironic)
    driver = {"name": name, "driver": "fake-hardware", "conductor_group": group, **body}
    try:
        await ironic.create_node(driver)
        for verb, state in (("manage", "manageable"), ("provide", "available")):
            await ironic.provision(name, verb)
            await watch.until(name, lambda n, state=state: n is not None and n.provision_state == state, 300)
    finally:
        await watch.close()
        await ironic.close()


async def all_at_once(made: Cluster, names: Sequence[str]) -> Run:
    """Ask for everything, and see what Ironic takes."""
    counted = Counted()
    began, cpu = time.monotonic(), made.cpu_s()
    headers = {"X-OpenStack-Ironic-API-Version": MICROVERSION}
    async with httpx.AsyncClient(base_url=made.url, transport=counted, headers=headers, timeout=None) as http:  # noqa: S113

        async def ask(name: str) -> None:
            await http.put(f"/v1/nodes/{name}/states/provision", json={"target": "active"})

        await asyncio.gather(*(ask(name) for name in names), return_exceptions=True)
    seconds = time.monotonic() - began
    while in_flight(made):  # noqa: ASYNC110 - another process ends them
        await asyncio.sleep(1)
    return finished(made, counted, seconds, cpu)


async def admitted(made: Cluster, names: Sequence[str], *, limit: int) -> Run:
    """Ask as the engine does: a deployment holds its place until Ironic says that it is over."""
    counted = Counted()
    ironic = Ironic(made.url, None, transport=counted)
    watch, admission = NodeWatch(ironic), Admission(deploys=limit)
    began, cpu, peak = time.monotonic(), made.cpu_s(), 0

    async def deploy(name: str) -> None:
        async with admission.deploy(made.url):
            await ironic.provision(name, "active")
            await watch.until(name, is_over, TIMEOUT_S)

    async def observe() -> None:
        nonlocal peak
        while True:
            peak = max(peak, in_flight(made))
            await asyncio.sleep(2)

    observer = asyncio.create_task(observe())
    try:
        ended = await asyncio.gather(*(deploy(name) for name in names), return_exceptions=True)
    finally:
        observer.cancel()
        await watch.close()
        await ironic.close()
    for error in ended:
        if isinstance(error, BaseException) and not isinstance(error, IronicError):
            raise error
    run = finished(made, counted, time.monotonic() - began, cpu)
    run.peak = peak
    return run


def finished(made: Cluster, counted: Counted, seconds: float, cpu: dict[str, float]) -> Run:
    spent = {part: value - cpu[part] for part, value in made.cpu_s().items()}
    active = made.database.ask("SELECT count(*) FROM nodes WHERE provision_state = 'active'")[0][0]
    return Run(answers=counted.answers, rejected=counted.rejected, active=active, seconds=seconds, cpu_s=spent)


def in_flight(made: Cluster) -> int:
    """Deployments that Ironic has under way."""
    query = "SELECT count(*) FROM nodes WHERE provision_state IN ('deploying', 'wait call-back')"
    return made.database.ask(query)[0][0]


def give_back(made: Cluster) -> None:
    """Every node is available again, as if nothing had been deployed."""
    made.database.ask(
        "UPDATE nodes SET provision_state = 'available', target_provision_state = NULL, last_error = NULL, "
        "instance_info = '{}' WHERE provision_state IN ('active', 'deploy failed')"
    )


async def prepare(
    made: Cluster, groups: Sequence[str], count: int, fleet: description.Description, ca: Path
) -> list[str]:
    """`count` nodes in the groups in turn, as many of them with a Redfish BMC as the fleet has compute trays."""
    infos = driver_infos(fleet, ca)[:count]
    for group in groups:
        await enrol(made, group, f"{group}-fake", {})
        if infos:
            body = {"power_interface": "redfish", "management_interface": "redfish", "driver_info": infos[0]}
            await enrol(made, group, f"{group}-redfish", body)
    names = [f"n{n:05d}" for n in range(count)]
    copies = [
        nodes.Copy(
            name=name,
            group=(group := groups[n % len(groups)]),
            of=f"{group}-redfish" if n < len(infos) else f"{group}-fake",
            driver_info=infos[n] if n < len(infos) else {},
        )
        for n, name in enumerate(names)
    ]
    nodes.copy(made.database, copies)
    made.database.ask("DELETE FROM nodes WHERE name LIKE '%-redfish'")  # their BMC is that of a copy
    return names


async def alone_s(made: Cluster, group: str) -> float:
    """How long one deployment takes while there is no other."""
    run = await admitted(made, [f"{group}-fake"], limit=1)
    give_back(made)
    return run.seconds


async def measure(made: Cluster, options: argparse.Namespace, fleet: description.Description, ca: Path) -> None:
    groups = [f"row-{n + 1}" for n in range(options.groups)]
    names = await prepare(made, groups, options.nodes, fleet, ca)
    size = made.database.ask("SELECT pg_total_relation_size('nodes'), pg_database_size(current_database())")[0]
    alone = await alone_s(made, groups[0])
    print(f"{len(names)} nodes, {options.groups} conductors, cap {options.cap}; one deployment alone {alone:.1f} s")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}\n", flush=True)
    print(
        "| asked | accepted | rejected | deployed | most under way | seconds | optimum | CPU s: API, conductors, database |"
    )
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for way in filter(None, options.ways.split(",")):
        if way == "all-at-once":
            asked = names
            run = await all_at_once(made, asked)
        else:
            asked = names[: options.deploy or None]
            run = await admitted(made, asked, limit=options.limit or options.cap)
        optimum = math.ceil(len(asked) / options.cap) * alone
        cpu = ", ".join(f"{value:.0f}" for value in run.cpu_s.values())
        most = run.peak or ""
        print(
            f"| {way}, {len(asked)} | {run.answers['accepted']} | {run.rejected} | {run.active} | {most} | {run.seconds:.0f} "
            f"| {optimum:.0f} | {cpu} |",
            flush=True,
        )
        grown = made.database.ask("SELECT pg_total_relation_size('nodes') + pg_total_relation_size('node_history')")[0]
        backends = made.database.ask("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")[0]
        print(
            f"    {dict(run.answers)}; connections {backends[0]}; a node in the database {grown[0] / len(names):.0f} B"
        )
        give_back(made)
    print(f"\ndatabase: {size[0] / len(names):.0f} B a node when enrolled; {size[1] / 2**20:.0f} MiB in all")
    print(f"memory, MiB: API {made.api.rss_mib:.0f}, conductors {[round(c.rss_mib) for c in made.conductors]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=4500)
    parser.add_argument("--deploy", type=int, default=0, help="of them, by admission; by default all")
    parser.add_argument("--groups", type=int, default=2, help="conductor groups, of one conductor each")
    parser.add_argument("--cap", type=int, default=250, help="Ironic's max_concurrent_deploy")
    parser.add_argument("--limit", type=int, default=0, help="our admission; by default the cap")
    parser.add_argument("--delay-s", type=int, default=30, help="of each of the two slow steps of a fake deployment")
    parser.add_argument("--redfish-racks", type=int, default=0, help="simulated racks of 18 trays among the nodes")
    parser.add_argument("--ways", default="all-at-once,admitted", help="empty: enrol only")
    options = parser.parse_args()
    settings = Settings(
        groups=tuple(
            Group(name=f"row-{n + 1}", hardware_types="fake-hardware,redfish,redfish-kept-key")
            for n in range(options.groups)
        ),
        max_concurrent_deploy=options.cap,
        deploy_delay_s=str(options.delay_s),
    )
    end_on_sigterm()
    with temporary_folder() as at, ExitStack() as stack:
        fleet: description.Description = {}
        authority = Authority(at / "tls")
        if options.redfish_racks:
            fleet = describe(options.redfish_racks, port=free_port())
            (at / "fleet.json").write_text(description.dump(fleet))
            scenario = {"seed": 1, "factory_password_must_change": False, "kinds": {k.value: _QUICK for k in Kind}}
            (at / "scenario.yaml").write_text(json.dumps(scenario))
            stack.enter_context(fleet_running(at, "--tls", str(at / "tls")))
        made = stack.enter_context(cluster(at / "ironic", settings))
        asyncio.run(measure(made, options, fleet, authority.certificate))


if __name__ == "__main__":
    main()
