"""Whether pods reach each other over hosts, and services by name. Makes pods, so only when asked.

A pod on each GPU host serves; a second one on each fetches from the next host's pod, and from all of
them through a service's name. In a large region a sample of the hosts stands for all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from components.checks.cluster_objects import NODE_RUNBOOK
from components.checks.judge import judged, skipped
from components.checks.result import CheckResult
from components.clients.kubernetes import KubernetesError, Object
from components.clients.kubernetes_probe import KubernetesProbe
from components.plan.model import RegionPlan, TrayRole
from components.plan.naming import kubeconfig_path

IMAGE = "hello-gpu"
"""Image that serves `/healthz`, and fetches with `reach URL...`."""
PORT = 8080
SAMPLE = 16
START_S = 60
"""Includes the pull of the image on a fresh host."""
REACH_S = 40
REMEDY = "compare `ip route` on both hosts with `region show`; see docs/runbooks/BgpSessionDown.md"


async def check_pod_network(plan: RegionPlan, project: Path, *, probe: bool) -> list[CheckResult]:
    """One result a sampled GPU host, or one that says why no pod could be made."""
    name, expected = "cluster.pods", "pods reach pods on other hosts, and services by name"
    image = next((i.reference for i in plan.cluster.images if i.name == IMAGE), None)
    if not probe:
        return [
            skipped(name, expected=expected, remedy="`region verify <region>` without --no-wake makes the pods for it")
        ]
    if image is None:
        return [skipped(name, expected=expected, remedy=f"publish the image {IMAGE} in the artifact index")]
    hosts = sampled([h.name for h in plan.deployed_hosts if h.role is TrayRole.GPU_WORKER], SAMPLE)
    try:
        async with (
            KubernetesProbe.from_file(project / kubeconfig_path(plan.region)) as api,
            api.namespace() as namespace,
        ):
            found = await _probe(api, namespace, hosts, image)
    except KubernetesError as error:
        return [judged(name, good=False, expected=expected, found=str(error), remedy=f"see {NODE_RUNBOOK}")]
    return [_result(host, peer, found.get(host)) for host, peer in ring(hosts)]


def sampled(hosts: Sequence[str], most: int) -> list[str]:
    """At most `most` hosts, evenly spread, so that each row of racks has some."""
    if len(hosts) <= most:
        return list(hosts)
    return [hosts[index * len(hosts) // most] for index in range(most)]


def ring(hosts: Sequence[str]) -> list[tuple[str, str]]:
    """Each host with the next one; both directions of two."""
    return list(zip(hosts, [*hosts[1:], *hosts[:1]], strict=True))


async def _probe(api: KubernetesProbe, namespace: str, hosts: Sequence[str], image: str) -> dict[str, str]:
    """What the pod on each host found, in words; empty for a pod that reached everything."""
    pods, services = f"/api/v1/namespaces/{namespace}/pods", f"/api/v1/namespaces/{namespace}/services"
    port = {"port": 80, "targetPort": PORT}
    await api.create(
        services, {"metadata": {"name": "peers"}, "spec": {"selector": {"part": "server"}, "ports": [port]}}
    )
    for host in hosts:
        await api.create(pods, _pod("server", host, image, []))
    servers = await api.running(namespace, "part=server", count=len(hosts), within_s=START_S)
    addresses = {str(p["spec"]["nodeName"]): str(p["status"]["podIP"]) for p in servers if p["status"].get("podIP")}
    found = {host: _words(pod) for pod in servers if (host := str(pod["spec"]["nodeName"])) not in addresses}
    asked = 0
    for host, peer in ring(hosts):
        if peer in addresses:
            urls = [f"http://{addresses[peer]}:{PORT}/healthz", f"http://peers.{namespace}.svc/healthz"]
            await api.create(pods, _pod("client", host, image, ["reach", *urls]))
            asked += 1
    for pod in await api.finished(namespace, "part=client", count=asked, within_s=REACH_S):
        is_done = pod["status"].get("phase") == "Succeeded"
        found[str(pod["spec"]["nodeName"])] = "" if is_done else _words(pod)
    return found


def _pod(part: str, host: str, image: str, arguments: list[str]) -> Object:
    return {
        "metadata": {"name": f"{part}-{host}", "labels": {"part": part}},
        "spec": {
            "nodeName": host,
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": part,
                    "image": image,
                    "args": arguments,
                    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                }
            ],
        },
    }


def _words(pod: Object) -> str:
    """Why a pod is not where it should be: its own last words, else Kubernetes'."""
    for status in pod["status"].get("containerStatuses") or ():
        state: Mapping[str, Any] = status.get("state", {})
        if message := state.get("terminated", {}).get("message"):
            return _unreached(str(message))
        if waiting := state.get("waiting"):
            return ": ".join(str(waiting[key]) for key in ("reason", "message") if waiting.get(key))
    return f"pod {pod['metadata']['name']} is {pod['status'].get('phase', 'unknown')} when time is up"


def _unreached(message: str) -> str:
    try:
        answers: dict[str, str] = json.loads(message)
    except ValueError:
        return message
    return "; ".join(f"{url}: {answer}" for url, answer in answers.items() if answer != "ok")


def _result(host: str, peer: str, found: str | None) -> CheckResult:
    return judged(
        f"cluster.pods.{host}",
        good=found == "",
        expected=f"a pod on {host} reaches a pod on {peer}, and a service by name",
        found="reaches both" if found == "" else found or f"no pod answers on {peer}",
        remedy=REMEDY,
    )
