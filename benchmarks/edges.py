"""What steering gains and how soon a dead edge is left, beside the same requests relayed to Essonne.

    python -m benchmarks.edges [--rounds 3] [--visits 200]

As root: it makes the namespaces of tests/integration/test_edge_steering.py. Edges are stand-ins, the name servers are real;
distance is made by netem, or where the kernel has none by a delay link that stands in for it.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.termination import end_on_sigterm
from lab.edges.client import Client
from tests.edge_stage import FAR, NEAR, Stage, staged


def quantiles(values: list[float]) -> str:
    ordered = sorted(values)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return f"p50 {statistics.median(ordered):7.1f} ms   p95 {p95:7.1f} ms   of {len(ordered)}"


def visits(client: Client, address: str, host: str, path: str, count: int) -> list[float]:
    done = [client.visit_at(address, host, path) for _ in range(count + 1)][1:]
    assert all(visit.by for visit in done)
    return [visit.ms for visit in done]


def distances(stage: Stage, count: int) -> None:
    client = stage.clients["singapore"]
    edge, essonne = stage.plan.edge("singapore").address, stage.plan.edge("essonne").address
    near = visits(client, edge, NEAR, "/", count)
    relayed = visits(client, edge, FAR, "/relay/", count // 4)
    direct = visits(client, essonne, FAR, "/", count // 4)
    print("client in Singapore, one connection kept")
    print(f"  its own edge           {quantiles(near)}")
    print(f"  edge relays to Essonne {quantiles(relayed)}")
    print(f"  Essonne itself         {quantiles(direct)}")
    print(f"  relay / edge           {statistics.median(relayed) / statistics.median(near):7.1f}")
    for server in stage.plan.name_servers:
        lookups: list[float] = []
        for _ in range(20):
            began = time.monotonic()
            assert client.ask(NEAR, server.address)
            lookups.append((time.monotonic() - began) * 1000)
        print(f"  lookup at {server.name} in {server.region:10} {quantiles(lookups)}")


def leaving(stage: Stage, rounds: int) -> None:
    took: list[float] = []
    for _ in range(rounds):
        client = stage.world.client("c-singapore")
        deadline = time.monotonic() + 4 * stage.plan.worst_s
        while client.visit(NEAR).by != "singapore":  # back from the round before
            assert time.monotonic() < deadline
            time.sleep(0.5)
        stage.world.stop_edge("singapore")
        died = time.monotonic()
        while not client.visit(NEAR).by:
            time.sleep(0.1)
        took.append(time.monotonic() - died)
        stage.world.start_edge("singapore")
    found = ", ".join(f"{each:.1f}" for each in took)
    print(f"a dead edge is left after {found} s; planned at most {stage.plan.worst_s} s")
    print(f"  longest / planned      {max(took) / stage.plan.worst_s:7.2f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--visits", type=int, default=200)
    arguments = parser.parse_args()
    end_on_sigterm()
    print(f"{platform.machine()}, Linux {platform.release()}")
    with tempfile.TemporaryDirectory() as folder, staged(Path(folder)) as stage:
        print(f"distance is made by {stage.world.kind}")
        distances(stage, arguments.visits)
        leaving(stage, arguments.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
