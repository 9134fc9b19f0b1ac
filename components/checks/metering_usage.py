"""What tenants and their services used in a period: figures by pool of GPUs, requests, bytes, tokens.

Owns which series count for what, and whose they are. Series are told apart by namespace and by the label of their
service, which tenants cannot set. What belongs to no known service is kept under the service `-`: nothing is lost.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from components.checks.metering import (
    Key,
    Period,
    Question,
    counter_questions,
    growth,
    label,
    lifetime_questions,
    lifetimes,
)
from components.clients.metrics import Metrics, Row
from components.plan.measured import (
    BYTES_IN,
    BYTES_OUT,
    CLAIM_DEVICE,
    CLAIM_POD,
    POD_LABELS,
    REQUESTS,
    SERVICE_OF_POD,
    TOKENS_IN,
    TOKENS_OUT,
)
from components.plan.rollout import object_names, route_name
from components.plan.tenants import ServicePlan, TenantPlan

OTHER = "-"
"""In place of a service's name: of its tenant, but of no service that is known."""
OWN = '{namespace=~"tenant-.+"}'
COUNTERS: Mapping[str, tuple[str, str, str]] = {
    "requests": (f'{REQUESTS}{{route_namespace=~"tenant-.+"}}', "route_namespace", "route_name"),
    "bytes_in": (BYTES_IN + OWN, "namespace", "route"),
    "bytes_out": (BYTES_OUT + OWN, "namespace", "route"),
    "tokens_in": (TOKENS_IN + OWN, "namespace", "service"),
    "tokens_out": (TOKENS_OUT + OWN, "namespace", "service"),
}
"""Figure -> series, label of the namespace, label of the service."""


@dataclass(kw_only=True)
class Usage:
    """Of one service."""

    tenant: str
    service: str
    gpu_seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    """Pool of GPUs -> seconds that its devices were claimed."""
    replica_seconds: float = 0.0
    requests: float = 0.0
    bytes_in: float = 0.0
    bytes_out: float = 0.0
    tokens_in: float = 0.0
    tokens_out: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Owners:
    """Whose a series is."""

    tenants: Mapping[str, str]
    """Namespace -> tenant."""
    services: Mapping[tuple[str, str], str]
    """Namespace and name of a route or label -> service."""
    pools: Mapping[str, str]
    """Node -> pool of its GPUs."""

    @classmethod
    def of(cls, tenants: Sequence[TenantPlan], services: Sequence[ServicePlan], pools: Mapping[str, str]) -> Owners:
        """From the plan. A service that is rolled out by shares has routes of other names than its own."""
        names = {
            (service.namespace, name): service.name
            for service in services
            for name in (*object_names(service), route_name(service), service.name)
        }
        return cls(tenants={t.namespace: t.name for t in tenants}, services=names, pools=pools)

    def whose(self, namespace: str, name: str) -> tuple[str, str]:
        """Tenant and service."""
        tenant = self.tenants.get(namespace, namespace.removeprefix("tenant-"))
        return tenant, self.services.get((namespace, name), OTHER)


async def read_usage(
    metrics: Metrics, owners: Owners, period: Period, *, now: float, interval_s: float
) -> tuple[Usage, ...]:
    """Every service that used something. Raises MetricsError, KubernetesError."""
    uses = _Uses()
    for name, (selector, namespace, service) in COUNTERS.items():
        answers = await _ask(metrics, counter_questions(selector, period))
        for key, value in growth(answers["first"], answers["within"], answers["before"]).items():
            use = uses.of(owners.whose(label(key, namespace), label(key, service)))
            setattr(use, name, getattr(use, name) + value)
    pods = await _pods(metrics, period, now)

    async def seconds(selector: str, take: Callable[[Key, float], None]) -> None:
        answers = await _ask(metrics, lifetime_questions(selector, period, now))
        for key, value in lifetimes(answers["first"], answers["last"], period, interval_s).items():
            take(key, value)

    def replica(key: Key, value: float) -> None:
        use = uses.of(owners.whose(label(key, "namespace"), label(key, SERVICE_OF_POD)))
        use.replica_seconds += value

    def device(key: Key, value: float) -> None:
        namespace = label(key, "namespace")
        service = pods.services.get((namespace, pods.of_claims.get(label(key, "uid"), "")), "")
        pool = owners.pools.get(label(key, "pool"), label(key, "pool"))
        uses.of(owners.whose(namespace, service)).gpu_seconds[pool] += value

    await seconds(f'{POD_LABELS}{{namespace=~"tenant-.+",{SERVICE_OF_POD}!=""}}', replica)
    await seconds(CLAIM_DEVICE + OWN, device)
    return tuple(uses.found[key] for key in sorted(uses.found))


class _Uses:
    """Made as they are asked for."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], Usage] = {}

    def of(self, owner: tuple[str, str]) -> Usage:
        """Of one service."""
        return self.found.setdefault(owner, Usage(tenant=owner[0], service=owner[1]))


@dataclass(frozen=True, kw_only=True)
class _Pods:
    of_claims: Mapping[str, str]
    """Uid of a claim -> pod."""
    services: Mapping[tuple[str, str], str]
    """Namespace and pod -> service."""


async def _pods(metrics: Metrics, period: Period, now: float) -> _Pods:
    claims = lifetime_questions(f'{CLAIM_POD}{{namespace=~"tenant-.+",resource="pods"}}', period, now)
    labels = lifetime_questions(f'{POD_LABELS}{{namespace=~"tenant-.+",{SERVICE_OF_POD}!=""}}', period, now)
    answers = await _ask(metrics, {"claims": claims["last"], "labels": labels["last"]})
    return _Pods(
        of_claims={row.labels["uid"]: row.labels["pod"] for row in answers["claims"]},
        services={(r.labels["namespace"], r.labels["pod"]): r.labels[SERVICE_OF_POD] for r in answers["labels"]},
    )


async def _ask(metrics: Metrics, questions: Mapping[str, Question]) -> dict[str, list[Row]]:
    rows = await asyncio.gather(*(metrics.query(q.expression, at=q.at) for q in questions.values()))
    return dict(zip(questions, rows, strict=True))
