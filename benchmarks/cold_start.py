"""How long a sleeping service takes to answer, where that time goes, and what the gateway costs when it is awake.

    python benchmarks/cold_start.py [--region lab] [--service hello-gpu] [--wakes 20] [--warm 500]

Each wake begins when the service has no pod. Steps are timed by watches on the API, at this machine: what the API
tells late is late here too. The warm peer of the gateway is the pod itself, called directly.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from components.clients.kubernetes import Kubernetes, Object
from components.clients.web import Answer, call
from components.plan.model import RegionPlan
from components.plan.naming import kubeconfig_path
from components.plan.tenants import ServicePlan
from stacks.project import ROOT, load_plan

STEPS = (
    ("scaled", "interceptor and KEDA: request to desired count 1"),
    ("created", "controllers: desired count to pod"),
    ("bound", "scheduler: pod to node, with the claim of its GPUs"),
    ("started", "kubelet and containerd: node to running program"),
    ("endpoint", "kubelet's report: running program to ready endpoint"),
    ("answered", "kube-proxy and interceptor: ready endpoint to answer"),
)
"""Moment -> what lies between the moment before and this one."""
TARGET_S = {50: 1.0, 95: 1.5}
SETTLE_S = 2.0
"""From the last pod's end to the next call: endpoints and the scaler's count have caught up."""
ASLEEP_S = 120


class Wake:
    """The moments of one wake, by name, seconds of the monotonic clock."""

    def __init__(self) -> None:
        self.began = 0.0
        self.at: dict[str, float] = {}

    def mark(self, moment: str) -> None:
        self.at.setdefault(moment, time.monotonic())

    def on_deployment(self, deployment: Object) -> None:
        if deployment["spec"].get("replicas"):
            self.mark("scaled")

    def on_pod(self, pod: Object) -> None:
        if pod["metadata"].get("deletionTimestamp"):
            return
        self.mark("created")
        if pod["spec"].get("nodeName"):
            self.mark("bound")

    def on_slice(self, endpoints: Object) -> None:
        if any(e.get("conditions", {}).get("ready") for e in endpoints.get("endpoints") or ()):
            self.mark("endpoint")

    def on_answer(self, answer: Answer) -> None:
        self.mark("answered")
        if (up_ms := json.loads(answer.text).get("up_ms")) is not None:
            # The program tells how long it has run: nobody else knows when it began to.
            self.at["started"] = self.at["answered"] - up_ms / 1000

    def durations(self) -> Iterator[tuple[str, float]]:
        """Seconds of each step; a moment that was told after the next one counts as nothing."""
        before = self.began
        for moment, _ in STEPS:
            now = max(before, self.at.get(moment, before))
            yield moment, now - before
            before = now

    @property
    def seconds(self) -> float:
        return self.at["answered"] - self.began


@asynccontextmanager
async def background(*work: Coroutine[Any, Any, None]):
    """Runs beside the body, and ends with it."""
    tasks = [asyncio.create_task(w) for w in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def follow(api: Kubernetes, path: str, tell: Callable[[Object], None], **query: str) -> None:
    since = (await api.get(path, **query))["metadata"]["resourceVersion"]
    async for event in api.watch(path, resourceVersion=since, **query):
        if event.kind in ("ADDED", "MODIFIED"):
            tell(event.object)


async def wake_once(api: Kubernetes, plan: RegionPlan, service: ServicePlan) -> Wake:
    await asleep(api, service)
    wake, place = Wake(), f"namespaces/{service.namespace}"
    label = f"app.kubernetes.io/name={service.name}"
    async with background(
        follow(
            api,
            f"/apis/apps/v1/{place}/deployments",
            wake.on_deployment,
            fieldSelector=f"metadata.name={service.name}",
        ),
        follow(api, f"/api/v1/{place}/pods", wake.on_pod, labelSelector=label),
        follow(
            api,
            f"/apis/discovery.k8s.io/v1/{place}/endpointslices",
            wake.on_slice,
            labelSelector=f"kubernetes.io/service-name={service.name}",
        ),
    ):
        await asyncio.sleep(SETTLE_S)
        wake.began = time.monotonic()
        answer = await call(plan.runtime.gateway_vip, host=service.host)
        wake.on_answer(answer)
        if answer.status != 200:
            raise SystemExit(f"{service.host} answered HTTP {answer.status}: {answer.text.strip()}")
        await asyncio.sleep(0.2)  # the watches may be a little behind the answer
    return wake


async def asleep(api: Kubernetes, service: ServicePlan) -> None:
    label = f"app.kubernetes.io/name={service.name}"
    for _ in range((service.idle_after_s + ASLEEP_S) * 2):
        if not await api.items(f"/api/v1/namespaces/{service.namespace}/pods", labelSelector=label):
            return
        await asyncio.sleep(0.5)
    raise SystemExit(f"{service.name} does not fall asleep: somebody calls it, or KEDA does not scale it down")


def warm_ms(address: str, port: int, host: str, count: int) -> list[float]:
    """Milliseconds of each of `count` requests over one connection."""
    connection = http.client.HTTPConnection(address, port, timeout=10)
    times: list[float] = []
    for _ in range(count):
        began = time.monotonic()
        connection.request("GET", "/", headers={"Host": host})
        connection.getresponse().read()
        times.append((time.monotonic() - began) * 1000)
    connection.close()
    return times


def percentile(values: list[float], percent: int) -> float:
    """By nearest rank: the smallest value that `percent` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-percent * len(ordered) // 100) - 1)]


async def measure(plan: RegionPlan, service: ServicePlan, wakes: int, warm: int) -> Mapping[str, Any]:
    async with Kubernetes.from_file(ROOT / kubeconfig_path(plan.region)) as api:
        cold: list[Wake] = []
        for number in range(1, wakes + 1):
            cold.append(await wake_once(api, plan, service))
            print(f"wake {number} of {wakes}: {cold[-1].seconds:.2f} s", flush=True)
        label = f"app.kubernetes.io/name={service.name}"
        pods = await api.items(f"/api/v1/namespaces/{service.namespace}/pods", labelSelector=label)
        address = str(pods[0]["status"]["podIP"])
        vip = plan.runtime.gateway_vip
        through = await asyncio.to_thread(warm_ms, vip, 80, service.host, warm)
        direct = await asyncio.to_thread(warm_ms, address, service.port, service.host, warm)
    return {
        "machine": f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {platform.platform()}",
        "cold_s": [round(w.seconds, 3) for w in cold],
        "steps_s": {m: round(statistics.median(dict(w.durations())[m] for w in cold), 3) for m, _ in STEPS},
        "warm_ms": {
            name: {str(p): round(percentile(times, p), 2) for p in (50, 95)}
            for name, times in (("gateway", through), ("direct", direct))
        },
    }


def show(found: Mapping[str, Any]) -> None:
    print(f"\n{found['machine']}")
    for percent, target in TARGET_S.items():
        value = percentile(found["cold_s"], percent)
        verdict = "reached" if value <= target else "missed"
        print(f"cold start p{percent} of {len(found['cold_s'])}: {value:.2f} s (at most {target} s: {verdict})")
    total = sum(found["steps_s"].values())
    for moment, meaning in STEPS:
        seconds = found["steps_s"][moment]
        print(f"  {seconds:6.3f} s {seconds / total if total else 0:4.0%}  {meaning}")
    warm = found["warm_ms"]
    for percent in ("50", "95"):
        through, direct = warm["gateway"][percent], warm["direct"][percent]
        print(f"warm p{percent}: {through} ms through the gateway, {direct} ms direct ({through / direct:.1f} times)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--region", default="lab")
    parser.add_argument("--service", default="hello-gpu")
    parser.add_argument("--wakes", type=int, default=20)
    parser.add_argument("--warm", type=int, default=500)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON at the end")
    options = parser.parse_args()
    plan = load_plan(options.region)
    service = next((s for s in plan.runtime.services if s.name == options.service), None)
    if service is None:
        parser.error(f"{options.region} has no service {options.service}")
    found = asyncio.run(measure(plan, service, options.wakes, options.warm))
    show(found)
    if options.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
