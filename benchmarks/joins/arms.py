"""The ways of joining that are compared, and what is measured of each."""

from __future__ import annotations

import asyncio
import base64
import os
import statistics
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Generator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.joins.tokens import SECRETS, JoinTokens
from components.clients.cluster_joins import ClusterJoins
from components.clients.kubernetes import Object
from components.engine.join_pace import JoinPace
from lab.joins.control_plane import ControlPlane, control_plane
from lab.joins.kubeadm import Kubeadm, kubeadm_machines
from lab.joins.machines import JoinFailedError, Machines, machines

FIXED = 20
"""What regions had as their join_pace before it was found while machines join."""
MOST = 500
_READY_LIMIT_S = 300
PATIENCE_S = 60
"""Of what belongs to the measurement itself, not to a join."""
_LOOK_EVERY_S = 0.25


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One arm at one size."""

    arm: str
    size: int
    real: int
    """Machines on which kubeadm itself ran; the others are simulated."""
    joined: int
    failures: Mapping[str, int]
    """Step and error -> machines."""
    all_ready_s: float | None
    """From the first start to the last node that is ready; None if not all became nodes."""
    join_p50_s: float
    join_max_s: float
    look_p50_s: float
    look_p99_s: float
    """What an administrator sees of the API server meanwhile: one small read, four times a second."""
    looks_lost: int
    """Reads that were refused or took longer than any healthy API server (SLOWEST_S of the pace)."""
    request_p99_s: float
    """Of all requests of the machines themselves."""
    requests: int
    refused: int
    """Answers 429, and retries because of them."""
    most_pending: int
    """Requests for a certificate that waited at one moment."""
    most_at_once: int
    control_plane_cpu_s: Mapping[str, float]
    simulator_cpu_s: float
    load: float
    folder: str
    """Where the control plane ran; gone by now."""
    left: Mapping[str, int]
    """What is there when all is done: tokens, requests without an answer, nodes that are not ready."""

    def told(self) -> Mapping[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Figures:
        return cls(**told)

    @staticmethod
    def heading() -> str:
        return (
            f"{'size':>5} {'arm':8} {'joined':>7} {'all ready':>9} {'join p50':>8} {'max':>6} {'look p50':>8} {'p99':>6} {'lost':>5}"
            f" {'request p99':>11} {'429':>5} {'pending':>7} {'at once':>7} {'API cpu':>8} {'etcd':>6} {'sim cpu':>8} {'load':>5}"
        )

    def row(self) -> str:
        ready = "-" if self.all_ready_s is None else f"{self.all_ready_s:.0f} s"
        text = (
            f"{self.size:>5} {self.arm:8} {100 * self.joined / self.size:>6.1f}% {ready:>9} {self.join_p50_s:>8.1f} {self.join_max_s:>6.1f}"
            f" {self.look_p50_s:>8.3f} {self.look_p99_s:>6.2f} {self.looks_lost:>5} {self.request_p99_s:>11.2f} {self.refused:>5}"
            f" {self.most_pending:>7} {self.most_at_once:>7} {self.control_plane_cpu_s['kube-apiserver']:>8.1f}"
            f" {self.control_plane_cpu_s['etcd']:>6.1f} {self.simulator_cpu_s:>8.1f} {self.load:>5.0f}"
        )
        return text + "".join(f"\n      {count} x {error}" for error, count in self.failures.items())


@dataclass
class Run:
    """What an arm has to work with."""

    cluster: ControlPlane
    api: JoinTokens
    machines: Machines
    kubeadm: Kubeadm
    names: list[str]
    real: frozenset[str]
    """Machines on which kubeadm itself runs."""
    under_way: int = 0
    most_at_once: int = 0

    async def join(self, name: str, token: str, authority_hash: str = "") -> float:
        """Seconds of one join, counted among those under way."""
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            if name in self.real:
                return (await self.kubeadm.join(name, token)).seconds
            return (await self.machines.join(name, token, authority_hash)).seconds
        finally:
            self.under_way -= 1

    async def join_alone(self, name: str) -> float:
        """With a token of its own, as the role kubernetes joins machines."""
        async with self.api.token(name) as token:
            return await self.join(name, token)


async def at_once(run: Run) -> list[float | BaseException]:
    """As an administrator would: one token, the command that kubeadm prints, on all machines at the same time."""
    token, authority_hash = run.cluster.join_command()
    # The signer of cluster-info needs a moment for a new token.
    await asyncio.sleep(5)
    return await asyncio.gather(*(run.join(name, token, authority_hash) for name in run.names), return_exceptions=True)


async def fixed(run: Run) -> list[float | BaseException]:
    """A fixed number at a time, each with a token of its own."""
    gate = asyncio.Semaphore(FIXED)

    async def one(name: str) -> float:
        async with gate:
            return await run.join_alone(name)

    return await asyncio.gather(*(one(name) for name in run.names), return_exceptions=True)


async def paced(run: Run) -> list[float | BaseException]:
    """At the pace that the engine finds."""
    pace = JoinPace(MOST, seed=1)

    async def one(name: str) -> float:
        async with pace.turn():
            return await run.join_alone(name)

    async with run.api.watching():
        watching = asyncio.create_task(pace.observe(run.api.look))
        try:
            return await asyncio.gather(*(one(name) for name in run.names), return_exceptions=True)
        finally:
            watching.cancel()


ARMS: Mapping[str, Callable[[Run], Coroutine[Any, Any, list[float | BaseException]]]] = {
    "at-once": at_once,
    "fixed": fixed,
    "paced": paced,
}


class Onlooker:
    """An administrator who looks at the cluster while machines join."""

    def __init__(self, api: ClusterJoins) -> None:
        self._api = api
        self.took: list[float] = []
        self.lost = 0
        self.most_pending = 0

    async def look_on(self) -> None:
        async with self._api.watching():
            while True:
                sight = await self._api.look()
                self.most_pending = max(self.most_pending, sight.pending)
                if sight.answer_s is None:
                    self.lost += 1
                else:
                    self.took.append(sight.answer_s)
                await asyncio.sleep(_LOOK_EVERY_S)


@contextmanager
def _running(work: Coroutine[Any, Any, None]) -> Generator[asyncio.Task[None]]:
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()


async def measure(
    arm: str, size: int, *, real: int, folder: Path, programs: Mapping[str, Path], version: str, cores: str | None
) -> Figures:
    """One arm on a control plane of its own; on `real` of its machines kubeadm itself runs."""
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        cluster = stack.enter_context(control_plane(folder, programs, version=version, cores=cores))
        api = await stack.enter_async_context(JoinTokens.from_file(cluster.admin, timeout_s=PATIENCE_S))
        fleet = await stack.enter_async_context(machines(cluster, folder / "tmp"))
        kubeadm = await stack.enter_async_context(kubeadm_machines(cluster, folder / "machines"))
        names = [f"node-{number:04}" for number in range(size)]
        run = Run(
            cluster=cluster,
            api=api,
            machines=fleet,
            kubeadm=kubeadm,
            names=names,
            real=frozenset(names[:: max(1, size // real)][:real] if real else ()),
        )
        onlooker = Onlooker(await stack.enter_async_context(ClusterJoins.from_file(cluster.admin)))
        looking = stack.enter_context(_running(onlooker.look_on()))
        before, began = cluster.cpu_s(), loop.time()
        outcomes = await ARMS[arm](run)
        good = {name for name, outcome in zip(run.names, outcomes, strict=True) if isinstance(outcome, float)}
        ready_s: float | None = None
        try:
            async with asyncio.timeout(_READY_LIMIT_S):
                await fleet.all_ready(good - run.real)
                ready_s = max(fleet.ready.values(), default=began) - began
                while await _not_ready(api, good):  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(1)
        except TimeoutError:
            pass
        looking.cancel()
        used = {name: seconds - before[name] for name, seconds in cluster.cpu_s().items()}
        report = await fleet.report()
        took = [outcome for outcome in outcomes if isinstance(outcome, float)] or [0.0]
        return Figures(
            arm=arm,
            size=size,
            real=len(run.real),
            joined=len(good),
            failures=_failures(outcomes),
            all_ready_s=ready_s if len(good) == size else None,
            join_p50_s=statistics.median(took),
            join_max_s=max(took),
            look_p50_s=_share(onlooker.took, 0.5),
            look_p99_s=_share(onlooker.took, 0.99),
            looks_lost=onlooker.lost,
            request_p99_s=report["requests"]["all"]["p99_s"],
            requests=report["requests"]["all"]["count"],
            refused=report["codes"].get("429", 0) + report["retries"].get("429", 0),
            most_pending=onlooker.most_pending,
            most_at_once=run.most_at_once,
            control_plane_cpu_s=used,
            simulator_cpu_s=report["cpu_s"],
            load=os.getloadavg()[0],
            folder=str(folder),
            left=await _left(api, run.names),
        )


async def _not_ready(api: ClusterJoins, names: Collection[str]) -> int:
    nodes = {str(node["metadata"]["name"]): node for node in await api.items("/api/v1/nodes")}
    ready = sum(
        condition == {**condition, "type": "Ready", "status": "True"}
        for name in names
        for condition in nodes.get(name, {}).get("status", {}).get("conditions", ())
    )
    return len(names) - ready


async def _left(api: ClusterJoins, names: Collection[str]) -> Mapping[str, int]:
    tokens = await api.items(SECRETS, fieldSelector="type=bootstrap.kubernetes.io/token")
    own = [token for token in tokens if _description(token).startswith("join of ")]
    return {
        "tokens": len(own),
        "pending requests": len(await api.waiting_requests()),
        "not ready": await _not_ready(api, names),
    }


def _description(token: Object) -> str:
    return base64.b64decode(token["data"].get("description", "")).decode()


def _failures(outcomes: list[float | BaseException]) -> Mapping[str, int]:
    """Failures by step and the end of their error, which is alike for all machines."""
    counted = Counter(
        f"{outcome.step}: {(outcome.found or '')[-160:]}"
        if isinstance(outcome, JoinFailedError)
        else repr(outcome)[:200]
        for outcome in outcomes
        if isinstance(outcome, BaseException)
    )
    return dict(counted.most_common(5))


def _share(took: list[float], share: float) -> float:
    if not took:
        return float("inf")
    return sorted(took)[min(len(took) - 1, int(share * len(took)))]
