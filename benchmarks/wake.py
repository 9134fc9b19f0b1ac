"""One wake of a sleeping service: its moments, where they are seen, and what lies between them.

Moments are told by watches on the API, by the journal of the host that starts the pod, and by the program itself.
What the API tells late is late here too.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from components.clients.kubernetes import Kubernetes, Object
from components.clients.web import Answer, call
from components.plan.tenants import ServicePlan

STEPS = (
    ("named", "name server: name to address"),
    ("scaled", "interceptor, scaler, KEDA: request to desired count 1"),
    ("created", "controllers: desired count to pod"),
    ("bound", "scheduler: pod to node, with the claim of its GPUs"),
    ("asked", "kubelet: pod seen, claim prepared by the driver"),
    ("sandbox", "containerd: sandbox and network"),
    ("container", "containerd: container made"),
    ("started", "runc: container to running program"),
    ("endpoint", "kubelet's report: running program to ready endpoint"),
    ("answered", "kube-proxy and interceptor: ready endpoint to the whole answer"),
)
"""Moment -> what lies between the moment before and this one. A moment that nobody told counts as nothing."""
SETTLE_S = 2.0
"""From the last pod's end to the next call: endpoints and the scaler's count have caught up."""
ASLEEP_S = 120
_LINE = re.compile(r'time="(?P<time>[^"]+)" level=\w+ msg="(?P<words>(?:[^"\\]|\\.)*)"')
_FRACTION = re.compile(r"\.(\d{1,6})\d*")


class Wake:
    """The moments of one wake, by name, seconds of the clock by which they were told."""

    def __init__(self) -> None:
        self.began = 0.0
        self.at: dict[str, float] = {}
        self.node = ""
        self.pod = ""

    def mark(self, moment: str) -> None:
        self.at.setdefault(moment, time.time())

    def on_deployment(self, deployment: Object) -> None:
        if deployment["spec"].get("replicas"):
            self.mark("scaled")

    def on_pod(self, pod: Object) -> None:
        if pod["metadata"].get("deletionTimestamp"):
            return
        self.mark("created")
        self.pod = str(pod["metadata"]["name"])
        if pod["spec"].get("nodeName"):
            self.node = str(pod["spec"]["nodeName"])
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


def of_containerd(journal: str, pod: str) -> dict[str, float]:
    """Moment -> time, of one pod, from the words of containerd's journal."""
    found: dict[str, float] = {}
    sandbox = ""
    for line in _LINE.finditer(journal):
        words, at = line["words"].replace('\\"', '"'), _seconds(line["time"])
        if words.startswith("RunPodSandbox for") and re.search(rf"\b{re.escape(pod)}\b", words):
            if made := re.search(r'returns sandbox id "(\w+)"', words):
                sandbox = made[1]
                found["sandbox"] = at
            else:
                found["asked"] = at
        elif sandbox and words.startswith(f'CreateContainer within sandbox "{sandbox}"') and "returns" in words:
            found["container"] = at
    return found


def _seconds(text: str) -> float:
    return datetime.fromisoformat(_FRACTION.sub(r".\1", text)).timestamp()


@asynccontextmanager
async def background(*work: Coroutine[Any, Any, None]) -> AsyncGenerator[None]:
    """Runs beside the body, and ends with it."""
    tasks = [asyncio.create_task(w) for w in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def follow(api: Kubernetes, path: str, tell: Callable[[Object], None], **query: str) -> None:
    """Tell each change of these objects from now on."""
    since = (await api.get(path, **query))["metadata"]["resourceVersion"]
    async for event in api.watch(path, resourceVersion=since, **query):
        if event.kind in ("ADDED", "MODIFIED"):
            tell(event.object)


async def wake_once(
    api: Kubernetes, service: ServicePlan, look_up: Callable[[str], str], *, settle_s: float = SETTLE_S
) -> Wake:
    """Call a service that sleeps, as a client does: by its name, through the gateway. Ends where it is not answered."""
    await asleep(api, service)
    wake, place = Wake(), f"namespaces/{service.namespace}"
    label = f"app.kubernetes.io/name={service.name}"
    only = f"metadata.name={service.name}"
    slices = f"kubernetes.io/service-name={service.name}"
    async with background(
        follow(api, f"/apis/apps/v1/{place}/deployments", wake.on_deployment, fieldSelector=only),
        follow(api, f"/api/v1/{place}/pods", wake.on_pod, labelSelector=label),
        follow(api, f"/apis/discovery.k8s.io/v1/{place}/endpointslices", wake.on_slice, labelSelector=slices),
    ):
        await asyncio.sleep(settle_s)
        wake.began = time.time()
        address = await asyncio.to_thread(look_up, service.host)
        wake.mark("named")
        answer = await call(address, host=service.host, timeout_s=120)
        wake.on_answer(answer)
        if answer.status != 200:
            raise SystemExit(f"{service.host} answered HTTP {answer.status}: {answer.text.strip()}")
        await asyncio.sleep(0.2)  # the watches may be a little behind the answer
    return wake


async def asleep(api: Kubernetes, service: ServicePlan) -> None:
    """Wait until the service has no pod."""
    label = f"app.kubernetes.io/name={service.name}"
    for _ in range((service.idle_after_s + ASLEEP_S) * 2):
        if not await api.items(f"/api/v1/namespaces/{service.namespace}/pods", labelSelector=label):
            return
        await asyncio.sleep(0.5)
    raise SystemExit(f"{service.name} does not fall asleep: somebody calls it, or KEDA does not scale it down")
