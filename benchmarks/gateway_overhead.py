"""What the platform costs a request to a service that is awake: the pod itself, through the interceptor, through
gateway and interceptor, at given rates and at the highest that is sustained.

    python -m benchmarks.gateway_overhead [--region lab] [--service hello-gpu] [--seconds 10] [--rates 100,500]

The generator shares the machine's cores with all that it measures, and says how late it was itself: figures at a rate
at which it was late by more than a few milliseconds are its own.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

from benchmarks.beside import cluster, of_region
from components.plan.model import RegionPlan
from components.plan.serving import INTERCEPTOR_PORT, KEDA_NAMESPACE
from components.plan.tenants import ServicePlan
from stacks.project import load_plan
from tests.load import Account, send
from tests.load_client import Target

STEP = 1.5
"""From one rate to the next while the highest one is looked for."""
HIGHEST = 20_000.0
LATE_MS = 20.0
"""Lateness p99 of the generator from which a rate is beyond it."""
WAIT_MS = 250.0
"""Wait p99 from which a rate is not sustained: requests queue."""
PAUSE_S = 1.0


async def ways(plan: RegionPlan, service: ServicePlan) -> Mapping[str, Target]:
    """Name of a way to the service -> where it begins. The service is awake."""
    gateway = Target(url=f"http://{plan.runtime.gateway_vip}/", host=service.host, keep_alive=True, timeout_s=60)
    await send(gateway, 1, 1)
    async with cluster(plan) as api:
        label = f"app.kubernetes.io/name={service.name}"
        pods = await api.items(f"/api/v1/namespaces/{service.namespace}/pods", labelSelector=label)
        label = "app.kubernetes.io/instance=interceptor"
        interceptors = await api.items(f"/api/v1/namespaces/{KEDA_NAMESPACE}/pods", labelSelector=label)
    address, interceptor = pods[0]["status"]["podIP"], interceptors[0]["status"]["podIP"]
    return {
        "pod": replace(gateway, url=f"http://{address}:{service.port}/"),
        "interceptor": replace(gateway, url=f"http://{interceptor}:{INTERCEPTOR_PORT}/"),
        "gateway": gateway,
    }


async def highest(target: Target, start: float, seconds: float) -> AsyncIterator[tuple[float, Account, str]]:
    """Rate, account and what ended the search, if anything did; the one before the last was sustained."""
    rate = start
    while rate <= HIGHEST:
        account = await send(target, rate, seconds)
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
        for name, target in found.items():
            print(line(name, rate, await send(target, rate, seconds)), flush=True)
            await asyncio.sleep(PAUSE_S)
    for name, target in found.items():
        sustained = 0.0
        async for rate, account, ended in highest(target, rates[-1], seconds / 2):
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
