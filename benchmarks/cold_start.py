"""How long a sleeping service takes to answer, where that time goes, and what it takes with the upstream's settings or
with a warm pool of one.

    python -m benchmarks.cold_start [--region lab] [--service hello-gpu] [--wakes 20]

Each wake begins when the service has no pod, and goes by its name and through the gateway. Beside the region's service
stands the same program under upstream's defaults: its own scaler (asks every 500 ms, tells every 200), KEDA's intervals,
a token, service links, a readiness probe. What the whole cluster has in common, such as kube-proxy's interval, both have.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import dns.resolver

from benchmarks.beside import (
    NAMESPACE,
    Object,
    Placed,
    beside,
    cluster,
    like,
    objects,
    of_region,
    put_to_sleep,
    until_taken,
)
from benchmarks.wake import STEPS, Wake, of_containerd, wake_once
from components.clients.kubernetes_change import KubernetesChange
from components.plan.cost.forecast import service_cost
from components.plan.model import RegionPlan
from components.plan.serving import KEDA_NAMESPACE
from components.plan.tenants import ServicePlan
from stacks.project import ROOT, load_plan
from tests.load import percentile, send
from tests.load_client import Target

TARGET_S = {50: 0.8, 95: 1.2}
SCALER, SCALER_SERVICE = "keda-add-ons-http-scaler", "keda-add-ons-http-external-scaler"
OF_OURS = ("KEDA_HTTP_QUEUE_TICK_DURATION", "KEDA_HTTP_SCALER_STREAM_INTERVAL_MS")
"""Settings of the scaler that the region changes."""
PEER = "peer"
WARM_RATE = 2.0


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was measured, seconds."""

    ours: Sequence[Wake]
    peer: Sequence[Wake]
    warm: Sequence[float]
    """Single requests, each on a connection of its own, to a replica that waits."""
    month_eur: float
    """What the waiting replica costs a month by the region's price list."""


async def peer_scaler(api: KubernetesChange) -> list[Placed]:
    """A second scaler as upstream ships it, and the service by which KEDA reaches it."""
    where = f"namespaces/{KEDA_NAMESPACE}"
    ours = await api.get(f"/apis/apps/v1/{where}/deployments/{SCALER}")
    service = await api.get(f"/api/v1/{where}/services/{SCALER_SERVICE}")
    labels = {"bench": PEER}
    template: Object = json.loads(json.dumps(ours["spec"]["template"]))
    template["metadata"]["labels"] = labels
    (container,) = template["spec"]["containers"]
    variables: list[Object] = container["env"]
    container["env"] = [variable for variable in variables if variable["name"] not in OF_OURS]
    metadata = {"name": f"{PEER}-scaler", "namespace": KEDA_NAMESPACE}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
    }
    ports = [{k: v for k, v in port.items() if k != "nodePort"} for port in service["spec"]["ports"]]
    reached = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"selector": labels, "ports": ports},
    }
    return [(f"/apis/apps/v1/{where}/deployments", deployment), (f"/api/v1/{where}/services", reached)]


def as_upstream(placed: list[Placed], service: ServicePlan) -> list[Placed]:
    """The same service with everything that has a default left at it."""
    by_kind: dict[str, Object] = {thing["kind"]: thing for _, thing in placed}
    pod = by_kind["Deployment"]["spec"]["template"]["spec"]
    for key in ("serviceAccountName", "automountServiceAccountToken", "enableServiceLinks"):
        pod.pop(key)
    pod["containers"][0]["readinessProbe"] = {"httpGet": {"path": "/healthz", "port": service.port}}
    scaled = by_kind["ScaledObject"]["spec"]
    for key in ("pollingInterval", "cooldownPeriod", "advanced"):
        scaled.pop(key)
    port = scaled["triggers"][0]["metadata"]["scalerAddress"].rpartition(":")[2]
    scaled["triggers"][0]["metadata"]["scalerAddress"] = f"{PEER}-scaler.{KEDA_NAMESPACE}:{port}"
    return placed


def name_server(plan: RegionPlan, known: str) -> Callable[[str], str]:
    """Looks names up as a client does; a service that is not the region's has the same address as `known`."""
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = list(plan.endpoints.dns)

    def look_up(name: str) -> str:
        asked = known if name.endswith(f".{NAMESPACE}.internal") else name
        found = cast("Sequence[Any]", resolver.resolve(asked, "A"))
        return str(found[0])

    return look_up


def read_journal(wake: Wake) -> None:
    """Add the moments that the lab's host knows; other regions' hosts are not entered."""
    words = (
        "-m",
        "lab",
        "exec",
        wake.node,
        "journalctl",
        "-u",
        "containerd",
        "-o",
        "cat",
        "--since=-60s",
        "--no-pager",
    )
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    for moment, at in of_containerd(done.stdout, wake.pod).items():
        wake.at[moment] = at


async def measure(plan: RegionPlan, service: ServicePlan, wakes: int) -> Found:
    look_up = name_server(plan, service.host)
    peer = like(service, PEER, gpus=service.gpus, gpu=service.gpu)
    cold: dict[str, list[Wake]] = {service.name: [], PEER: []}
    async with cluster(plan) as api:
        others = [*await peer_scaler(api), *as_upstream(objects(plan, peer), peer)]
        async with beside(api, plan, others):
            await until_taken(api, plan, [peer])
            for number in range(1, wakes + 1):
                for each in (service, peer):
                    await put_to_sleep(api, each)
                    wake = await wake_once(api, each, look_up)
                    if plan.cluster.simulated:
                        await asyncio.to_thread(read_journal, wake)
                    cold[each.name].append(wake)
                told = ", ".join(f"{name} {found[-1].seconds:.2f} s" for name, found in cold.items())
                print(f"wake {number} of {wakes}: {told}", flush=True)
        target = Target(url=f"http://{plan.runtime.gateway_vip}/", host=service.host)
        await send(target, WARM_RATE, 1)  # awake
        account = await send(target, WARM_RATE, wakes / WARM_RATE)
    kept = service_cost(replace(service, min_replicas=1), plan.runtime.fleet, plan.runtime.prices)
    return Found(
        ours=cold[service.name],
        peer=cold[PEER],
        warm=[r.took for r in account.answered],
        month_eur=kept.floor.total,
    )


def steps(wakes: Sequence[Wake]) -> Mapping[str, float]:
    """Median seconds of each step."""
    return {moment: statistics.median(dict(w.durations())[moment] for w in wakes) for moment, _ in STEPS}


def show(found: Found) -> None:
    print(f"\n{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {platform.platform()}")
    ours, peer = [w.seconds for w in found.ours], [w.seconds for w in found.peer]
    for percent, target in TARGET_S.items():
        value = percentile(ours, percent)
        verdict = "reached" if value <= target else "missed"
        print(f"cold start p{percent} of {len(ours)}: {value:.2f} s (at most {target} s: {verdict})", end="")
        print(f"; with upstream's settings {percentile(peer, percent):.2f} s", end="")
        print(f"; with a warm replica {percentile(found.warm, percent) * 1000:.1f} ms")
    print(f"a warm replica costs €{found.month_eur:.2f} a month by the region's price list")
    print("median of each step, here and with upstream's settings:")
    theirs = steps(found.peer)
    for moment, meaning in STEPS:
        print(f"  {steps(found.ours)[moment] * 1000:6.0f} ms {theirs[moment] * 1000:6.0f} ms  {meaning}")


def as_json(found: Found) -> Mapping[str, Any]:
    sides = {"ours": found.ours, "upstream": found.peer}
    return {
        "cold_s": {name: [round(w.seconds, 3) for w in wakes] for name, wakes in sides.items()},
        "steps_s": {name: {m: round(s, 4) for m, s in steps(wakes).items()} for name, wakes in sides.items()},
        "warm_s": [round(seconds, 5) for seconds in found.warm],
        "warm_month_eur": found.month_eur,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--region", default="lab")
    parser.add_argument("--service", default="hello-gpu")
    parser.add_argument("--wakes", type=int, default=20)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON at the end")
    options = parser.parse_args()
    plan = load_plan(options.region)
    found = asyncio.run(measure(plan, of_region(plan, options.service), options.wakes))
    show(found)
    if options.json:
        print(json.dumps(as_json(found)))


if __name__ == "__main__":
    main()
