"""What an operator changes by hand, and how it is explained, on a real API server; prints what was seen, as JSON.

Run as the first process of a place of its own (`lab.joins.namespace.inside`). etcd, API server and controller manager
are real: quotas refuse, Deployments say why. There is no scheduler and no kubelet, so no pod is ever placed.

    python -m tests.operation_stage FOLDER
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from components.checks.explain import explain
from components.checks.explain_model import Explanation
from components.checks.explain_read import read_services
from components.checks.tenant_state import read_tenants
from components.clients.kubernetes_change import KubernetesChange
from components.plan.serving import BUDGET_QUOTA
from lab.joins.control_plane import control_plane
from lab.toolchain.build import ensure
from stacks.cli.tenant import hold_body
from tests.policy_stage import Cluster, until
from tests.services import service, tenant

NAMESPACE = "tenant-demo"
WORKER = dataclasses.replace(service(name="worker", kind="worker", gpus=0), max_replicas=0)
DEPLOYMENT = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/worker"
QUOTAS = f"/api/v1/namespaces/{NAMESPACE}/resourcequotas"
PATIENCE_S = 60


def declare(cluster: Cluster) -> None:
    """A tenant with one service that sleeps."""
    cluster.make({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    until(lambda: cluster.ask("-n", NAMESPACE, "get", "serviceaccount", "default"))
    labels = {"app.kubernetes.io/name": "worker"}
    cluster.make(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "worker", "namespace": NAMESPACE, "labels": labels},
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"containers": [{"name": "worker", "image": "none"}]},
                },
            },
        }
    )


async def explained(api: KubernetesChange) -> Explanation:
    (seen,) = await read_services(api, [WORKER])
    return explain(seen)


async def becomes(api: KubernetesChange, is_so: Callable[[], Awaitable[bool]]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not await is_so():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {PATIENCE_S} s; it is {await explained(api)}")
        await asyncio.sleep(0.2)


async def change(cluster: Cluster) -> dict[str, Any]:
    """All changes, one after the other."""
    found: dict[str, Any] = {}

    async def cause(name: str, wanted: str) -> None:
        async def is_so() -> bool:
            return (await explained(api)).cause == wanted

        await becomes(api, is_so)
        found[name] = dataclasses.asdict(await explained(api))

    def scaled(replicas: int) -> bool:
        return cluster.ask("-n", NAMESPACE, "scale", "deployment", "worker", f"--replicas={replicas}")

    async with KubernetesChange.from_file(cluster.kubeconfig) as api:
        await cause("before", "asleep")
        for _ in range(2):
            await api.put(QUOTAS, hold_body(NAMESPACE))

        async def is_counted() -> bool:
            return bool((await api.get(f"{QUOTAS}/{BUDGET_QUOTA}")).get("status", {}).get("hard"))

        await becomes(api, is_counted)
        found["scaled"] = scaled(1)
        await cause("held", "held-by-budget")
        (state,) = await read_tenants(api, [tenant()], "gpu")
        found["is held"] = state.is_held
        found["removed"] = [await api.remove(f"{QUOTAS}/{BUDGET_QUOTA}") for _ in range(2)]
        await cause("released", "starting")
        before = (await api.get(DEPLOYMENT))["spec"]["template"]
        await api.annotate(DEPLOYMENT, {}, template={"metadata": {"annotations": {"restartedAt": "now"}}})
        after = (await api.get(DEPLOYMENT))["spec"]["template"]
        found["restarted"] = [before["metadata"].get("annotations"), after["metadata"]["annotations"]]
        found["same containers"] = before["spec"] == after["spec"]
        quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "tenant", "namespace": NAMESPACE}}
        cluster.make({**quota, "spec": {"hard": {"pods": "2"}}})
        scaled(5)
        await cause("over quota", "waiting-for-quota")
        for value in ("2", None):
            await api.annotate(DEPLOYMENT, {"example/held": value})
            found.setdefault("annotations", []).append(
                (await api.get(DEPLOYMENT))["metadata"].get("annotations", {}).get("example/held")
            )
    return found


def main() -> None:
    """Bring the control plane up, change, tell."""
    programs = ensure("etcd", "kube-apiserver", "kube-controller-manager", "kubectl", "kubeadm")
    with control_plane(Path(sys.argv[1]) / "cluster", programs, version="v1.36.3") as made:
        cluster = Cluster(made)
        declare(cluster)
        found = asyncio.run(change(cluster))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
