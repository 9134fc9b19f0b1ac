"""What the platform costs a request to a service that is awake: the pod itself, through the interceptor, through
gateway and interceptor, at given rates and at the highest that is sustained.

    python -m benchmarks.gateway_overhead [--region lab] [--service hello-gpu] [--seconds 10] [--rates 100,500]

Only the pod's own host may call the pod past the interceptor: in the lab that way begins in the host's network name
space, elsewhere it is left out. The generator shares the machine's cores with all that it measures, and says how late it was itself: figures at a rate
at which it was late by more than a few milliseconds are its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial

from benchmarks.beside import cluster, of_region
from components.plan.model import RegionPlan
from components.plan.serving import INTERCEPTOR_PORT, KEDA_NAMESPACE
from components.plan.tenants import ServicePlan
from lab import devices
from lab.context import Lab
from stacks.project import ROOT, load_plan
from tests.load import Account, Sent, send
from tests.load_client import Target

STEP = 1.5
"""From one rate to the next while the highest one is looked for."""
HIGHEST = 20_000.0
LATE_MS = 20.0
"""Lateness p99 of the generator from which a rate is beyond it."""
WAIT_MS = 250.0
"""Wait p99 from which a rate is not sustained: requests queue."""
PAUSE_S = 1.0


Way = Callable[[float, float], Awaitable[Account]]
"""Sends at a rate, for so many seconds."""


async def ways(plan: RegionPlan, service: ServicePlan) -> Mapping[str, Way]:
    """Name of a way to the service -> how requests are sent on it. The service is awake."""
    gateway = Target(url=f"http://{plan.runtime.gateway_vip}/", host=service.host, keep_alive=True, timeout_s=60)
    await send(gateway, 1, 1)
    async with cluster(plan) as api:
        label = f"app.kubernetes.io/name={service.name}"
        pods = await api.items(f"/api/v1/namespaces/{service.namespace}/pods", labelSelector=label)
        label = "app.kubernetes.io/instance=interceptor"
        interceptors = await api.items(f"/api/v1/namespaces/{KEDA_NAMESPACE}/pods", labelSelector=label)
    interceptor = f"http://{interceptors[0]['status']['podIP']}:{INTERCEPTOR_PORT}/"
    found: dict[str, Way] = {}
    if plan.cluster.simulated:
        url = f"http://{pods[0]['status']['podIP']}:{service.port}/"
        found["pod"] = partial(send_within, pods[0]["spec"]["nodeName"], url, service.host)
    else:
        print("pod: left out, only its own host may call it")
    found["interceptor"] = partial(send, replace(gateway, url=interceptor))
    found["gateway"] = partial(send, gateway)
    return found


async def send_within(node: str, url: str, host: str, rate: float, seconds: float) -> Account:
    """The same load from a generator in the network name space of one of the lab's machines."""
    lab = Lab.running()
    enter, _, pid, *_ = devices.enter(lab, lab.device(node))
    words = (enter, "-t", pid, "-n", "--", sys.executable, "-m", "tests.load", url, host, str(rate), str(seconds))
    process = await asyncio.create_subprocess_exec(*words, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    told = json.loads((await process.communicate())[0])
    return Account(requests=[Sent(**request) for request in told["requests"]], seconds=told["seconds"])


async def highest(way: Way, start: float, seconds: float) -> AsyncIterator[tuple[float, Account, str]]:
    """Rate, account and what ended the search, if anything did; the one before the last was sustained."""
    rate = start
    while rate <= HIGHEST:
        account = await way(rate, seconds)
        ended = limit(account)
        yield rate, account, ended
        if ended:
            return
        rate *= STEP
        await asyncio.sleep(PAUSE_S)


def limit(account: Account) -> str:
    """Why a rate is not sustained; empty if it is."""
    if account.lost:
        return "requests were lost"
    if account.late_ms(99) > LATE_MS:
        return "the generator had no processor left"
    if account.wait_ms(99) > WAIT_MS:
        return "answers queued"
    return ""


def line(name: str, rate: float, account: Account) -> str:
    """One row of figures."""
    return (
        f"{name:12} {rate:7.0f}/s  p50 {account.wait_ms(50):7.2f} ms  p99 {account.wait_ms(99):7.2f} ms  "
        f"lost {sum(account.lost.values())} of {account.sent}  generator late p99 {account.late_ms(99):.2f} ms"
    )


async def measure(plan: RegionPlan, service: ServicePlan, rates: list[float], seconds: float) -> None:
    found = await ways(plan, service)
    for rate in rates:
        for name, way in found.items():
            print(line(name, rate, await way(rate, seconds)), flush=True)
            await asyncio.sleep(PAUSE_S)
    for name, way in found.items():
        sustained = 0.0
        async for rate, account, ended in highest(way, rates[-1], seconds / 2):
            if ended:
                print(line(name, rate, account))
                print(f"{name}: {sustained:.0f} requests a second were sustained; at {rate:.0f}, {ended}")
            else:
                sustained = rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--region", default="lab")
    parser.add_argument("--service", default="hello-gpu")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rates", default="100,500")
    options = parser.parse_args()
    plan = load_plan(options.region)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    rates = [float(rate) for rate in options.rates.split(",")]
    asyncio.run(measure(plan, of_region(plan, options.service), rates, options.seconds))


if __name__ == "__main__":
    main()
