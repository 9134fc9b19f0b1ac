"""What services cost that sleep: memory of the platform for each, and the wake of any one beside all the others.

    python -m benchmarks.sleeping_services [--region lab] [--services 200] [--wakes 5]

The same kind of service is measured alone first, so the ratio is of two numbers of one run. Memory is what the kubelet
tells of each container's working set; it is noisy by some MiB, so a share below 10 KiB a service says little.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
from collections.abc import Mapping, Sequence

from benchmarks.beside import beside, cluster, like, objects, of_region, put_to_sleep, until_taken
from benchmarks.wake import wake_once
from components.clients.kubernetes_change import KubernetesChange
from components.plan.model import RegionPlan
from components.plan.tenants import ServicePlan
from stacks.project import load_plan

MEASURED = {
    "interceptor": ("keda", "keda-add-ons-http-interceptor", "interceptor"),
    "scaler of the add-on": ("keda", "keda-add-ons-http-scaler", "scaler"),
    "KEDA's operator": ("keda", "keda-operator", "keda-operator"),
    "Envoy": ("envoy-gateway-system", "envoy-gateway-", "envoy"),
    "Envoy Gateway": ("envoy-gateway-system", "envoy-gateway-", "envoy-gateway"),
    "API server": ("kube-system", "kube-apiserver-", "kube-apiserver"),
    "etcd": ("kube-system", "etcd-", "etcd"),
}
"""What is measured -> namespace, beginning of the pod's name, container."""
SETTLE_S = 30.0
"""Until the kubelets have measured anew, and collectors have been round."""


async def memory(api: KubernetesChange) -> Mapping[str, int]:
    """Bytes of each, of all its pods together."""
    found = dict.fromkeys(MEASURED, 0)
    for node in await api.items("/api/v1/nodes"):
        summary = await api.get(f"/api/v1/nodes/{node['metadata']['name']}/proxy/stats/summary")
        for pod in summary["pods"]:
            for container in pod.get("containers", ()):
                name = _measured(pod["podRef"], container["name"])
                if name:
                    found[name] += container.get("memory", {}).get("workingSetBytes", 0)
    return found


def _measured(pod: Mapping[str, str], container: str) -> str:
    for name, (namespace, beginning, own) in MEASURED.items():
        if pod["namespace"] == namespace and pod["name"].startswith(beginning) and container == own:
            return name
    return ""


async def wakes(api: KubernetesChange, plan: RegionPlan, services: Sequence[ServicePlan], count: int) -> list[float]:
    """Seconds of single wakes, each of a service that sleeps."""
    took: list[float] = []
    for _ in range(count):
        service = random.choice(services)  # noqa: S311  # any of them
        took.append((await wake_once(api, service, lambda _: plan.runtime.gateway_vip)).seconds)
        await put_to_sleep(api, service)
    return took


async def measure(plan: RegionPlan, count: int, wake_count: int) -> None:
    hello = of_region(plan, "hello-gpu")
    services = [like(hello, f"sleeper-{n:03}") for n in range(count)]
    async with cluster(plan) as api:
        async with beside(api, plan, objects(plan, services[0])):
            await until_taken(api, plan, services[:1])
            alone = await wakes(api, plan, services[:1], wake_count)
            await asyncio.sleep(SETTLE_S)
            before = await memory(api)
        placed = [each for service in services for each in objects(plan, service)]
        async with beside(api, plan, placed):
            await until_taken(api, plan, services)
            await asyncio.sleep(SETTLE_S)
            after = await memory(api)
            beside_others = await wakes(api, plan, services, wake_count)
    show(before, after, count, alone, beside_others)


def show(
    before: Mapping[str, int], after: Mapping[str, int], count: int, alone: Sequence[float], among: Sequence[float]
) -> None:
    print(f"memory with 1 and with {count} sleeping services, all pods of each together:")
    for name in MEASURED:
        one, all_of_them = before[name], after[name]
        share = (all_of_them - one) / max(1, count - 1)
        print(f"  {name:20} {one >> 20:5} MiB  {all_of_them >> 20:5} MiB  {share / 1024:7.1f} KiB a service")
    p50, among_p50 = statistics.median(alone), statistics.median(among)
    print(
        f"wake of one, median of {len(alone)}: {p50:.2f} s alone, {among_p50:.2f} s beside {count - 1} others "
        f"({among_p50 / p50:.2f} times)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--region", default="lab")
    parser.add_argument("--services", type=int, default=200)
    parser.add_argument("--wakes", type=int, default=5)
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    asyncio.run(measure(load_plan(options.region), options.services, options.wakes))


if __name__ == "__main__":
    main()
