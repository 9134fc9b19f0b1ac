"""A scripted load of two tenants, as a region measures it, and the truth of what was used.

Hours of it: replicas come and go, some live for seconds; programs are restarted, so their counters begin anew; the
metering itself is down in the middle. Every figure of the truth is counted from the script, never from samples.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from components.checks.metering import Period

INTERVAL_S = 5
HOURS = 6
DOWN = (3.0 * 3600, 3.0 * 3600 + 60)
"""Seconds of the load between which nothing is measured: the database is restarted. What begins or ends meanwhile is
counted as far as it was seen; a longer outage loses more of that, never what goes on through it."""
GPUS = {"chat": 4, "embed": 1, "train": 2}
SERVICES = {"chat": "alpha", "embed": "alpha", "train": "beta"}

Sample = tuple[str, dict[str, str], float, float]
"""Series, labels, time, value."""


@dataclass
class Truth:
    """What was used in a period, by service."""

    gpu_seconds: dict[str, float] = field(default_factory=lambda: defaultdict[str, float](float))
    requests: dict[str, float] = field(default_factory=lambda: defaultdict[str, float](float))
    bytes_out: dict[str, float] = field(default_factory=lambda: defaultdict[str, float](float))
    tokens_out: dict[str, float] = field(default_factory=lambda: defaultdict[str, float](float))


@dataclass(frozen=True)
class Replica:
    """One pod with its claim."""

    service: str
    number: int
    began: float
    ended: float
    tokens_s: float

    @property
    def namespace(self) -> str:
        """Of its tenant."""
        return f"tenant-{SERVICES[self.service]}"

    @property
    def pod(self) -> str:
        """Its name."""
        return f"{self.service}-{self.number}"


class Load:
    """The script, from a time on."""

    def __init__(self, start: float, seed: int = 7) -> None:
        chance = random.Random(seed)  # noqa: S311  a script must be the same each time
        self.start, self.end = start, start + HOURS * 3600.0
        self.replicas: list[Replica] = []
        for service in SERVICES:
            at, number = start, 0
            while at < self.end - 60:
                length = min(self.end - at - 1, chance.choice((12.0, 40.0, 300.0, 2000.0)) * chance.uniform(0.5, 1.5))
                self.replicas.append(Replica(service, number, at, at + length, chance.uniform(5, 50)))
                at, number = at + length + chance.uniform(0, 120), number + 1
        self.rates = {service: chance.uniform(1, 9) for service in SERVICES}
        # The interceptor is restarted twice: its counters begin anew.
        self.restarts = sorted(chance.uniform(self.start, self.end) for _ in range(2))

    def truth(self, period: Period) -> Truth:
        """Counted from the script."""
        found = Truth()
        for replica in self.replicas:
            seconds = max(0.0, min(period.end, replica.ended) - max(period.start, replica.began))
            found.gpu_seconds[replica.service] += seconds * GPUS[replica.service]
            found.tokens_out[replica.service] += seconds * replica.tokens_s
        seconds = min(period.end, self.end) - max(period.start, self.start)
        for service, rate in self.rates.items():
            found.requests[service] += seconds * rate
            found.bytes_out[service] += seconds * rate * 1500
        return found

    def samples(self, since: float, until: float) -> Iterator[Sample]:
        """What the metering writes from one time to another, but while it is down."""
        times = [
            self.start + step * INTERVAL_S
            for step in range(int((self.end - self.start) / INTERVAL_S) + 1)
            if not DOWN[0] <= step * INTERVAL_S < DOWN[1]
        ]
        for at in (each for each in times if since <= each < until):
            yield from self._requests(at)
            for replica in self.replicas:
                if replica.began <= at < replica.ended:
                    yield from self._replica(replica, at)

    def _requests(self, at: float) -> Iterator[Sample]:
        born = max([self.start, *(t for t in self.restarts if t <= at)])
        for service, rate in self.rates.items():
            namespace = f"tenant-{SERVICES[service]}"
            labels = {"route_namespace": namespace, "route_name": service, "code": "200", "instance": "interceptor"}
            yield "interceptor_request_count_total", labels, at, (at - born) * rate
            labels = {"namespace": namespace, "route": service, "instance": "proxy"}
            yield "envoy_cluster_upstream_cx_rx_bytes_total", labels, at, (at - self.start) * rate * 1500

    def _replica(self, replica: Replica, at: float) -> Iterator[Sample]:
        space, pod = {"namespace": replica.namespace}, replica.pod
        uid = f"uid-{pod}"
        yield (
            "kube_pod_labels",
            {**space, "pod": pod, "uid": pod, "label_gpuregion_dev_service": replica.service},
            at,
            1,
        )
        claim = {**space, "uid": uid, "resourceclaim": f"{pod}-gpu"}
        yield "kube_resourceclaim_reserved_for", {**claim, "resource": "pods", "pod": pod}, at, 1
        for device in range(GPUS[replica.service]):
            yield "kube_resourceclaim_allocated_device", {**claim, "pool": "node-1", "device": f"gpu-{device}"}, at, 1
        tokens = (at - replica.began) * replica.tokens_s
        yield "vllm:generation_tokens_total", {**space, "pod": pod, "service": replica.service}, at, tokens
