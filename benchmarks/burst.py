"""How long a service of one replica takes to answer within its target again, when requests for ten come at once.

    python -m benchmarks.burst [--region lab] [--replicas 10] [--seconds 60]

Each replica works on two requests at a time, 200 ms each, and others wait in it: the burst is more than one can ever
answer. The autoscaler looks every 15 s. What the first replica was given until then waits in it, and it gets its share
of what comes later too, so one of ten requests goes on waiting there: hence the times for several parts of all.
Replicas have no GPU, so the lab has room for as many.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Sequence
from typing import Any

from benchmarks.beside import beside, cluster, like, objects, of_region, until_taken
from components.clients.kubernetes_change import KubernetesChange
from components.plan.model import RegionPlan
from components.plan.tenants import ScalingPlan, ServicePlan
from stacks.project import load_plan
from tests.load import Account, Sent, send
from tests.load_client import Target

NAME = "burst"
ANSWER_S = 0.2
AT_ONCE = 2
TARGET_S = 5 * ANSWER_S
"""An answer within this is a good one."""
GOOD = (0.5, 0.8, 0.9, 0.95)
"""Parts of the answers of a window that are to be good."""
WINDOW_S = 2.0
FULL = 0.6
"""Part of all replicas' capacity that the burst asks for."""
BEFORE_S = 3.0


def settled(requests: Sequence[Sent], target_s: float, good: float, window_s: float = WINDOW_S) -> float | None:
    """Seconds from the beginning of a load from which on all windows are good; None if even the last is not.

    Windows are by when requests were due: who came in the bad time waited, however late that was answered.
    """
    windows: dict[int, list[bool]] = {}
    for request in requests:
        is_good = request.is_answered and request.took <= target_s
        windows.setdefault(int(request.due / window_s), []).append(is_good)
    since: float | None = None
    for number in sorted(windows, reverse=True):
        if sum(windows[number]) < good * len(windows[number]):
            break
        since = number * window_s
    return since


async def replicas_over_time(api: KubernetesChange, service: ServicePlan, seen: list[int]) -> None:
    """Ready replicas, each second, until ended."""
    path = f"/apis/apps/v1/namespaces/{service.namespace}/deployments/{service.name}"
    while True:
        seen.append(int((await api.get(path)).get("status", {}).get("readyReplicas", 0)))
        await asyncio.sleep(1)


async def measure(plan: RegionPlan, replicas: int, seconds: float) -> tuple[Account, list[int]]:
    settings: dict[str, Any] = {"ANSWER_TAKES": f"{ANSWER_S * 1000:.0f}ms", "ANSWERS_AT_ONCE": str(AT_ONCE)}
    service = like(
        of_region(plan, "hello-gpu"),
        NAME,
        env=tuple(settings.items()),
        cpu=0.01,
        memory_mib=16,
        min_replicas=1,
        max_replicas=replicas,
        scaling=ScalingPlan(concurrency=AT_ONCE),
    )
    target = Target(url=f"http://{plan.runtime.gateway_vip}/", host=service.host, timeout_s=120)
    one = AT_ONCE / ANSWER_S
    async with cluster(plan) as api, beside(api, plan, objects(plan, service)):
        await until_taken(api, plan, [service])
        await send(target, one / 2, BEFORE_S)
        seen: list[int] = []
        watching = asyncio.create_task(replicas_over_time(api, service, seen))
        try:
            account = await send(target, one * replicas * FULL, seconds)
        finally:
            watching.cancel()
    return account, seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--region", default="lab")
    parser.add_argument("--replicas", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    account, seen = asyncio.run(measure(load_plan(options.region), options.replicas, options.seconds))
    print(account)
    print(f"ready replicas each second: {seen}")
    print(f"1 to {max(seen, default=0)} ready replicas after {seen.index(max(seen))} s")
    for good in GOOD:
        since = settled(account.requests, TARGET_S, good)
        when = f"for requests from {since:.0f} s on" if since is not None else f"not in {options.seconds:.0f} s"
        print(f"{100 * good:.0f} of 100 answers within {TARGET_S * 1000:.0f} ms: {when}")


if __name__ == "__main__":
    main()
