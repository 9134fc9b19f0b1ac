"""Metering against the real VictoriaMetrics: a scripted load is written to it, it is restarted in the middle, and what
is metered is held to the truth of the script.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from components.checks.metering import Period
from components.checks.metering_usage import Owners, Usage, read_usage
from components.clients.metrics import Direct, Metrics
from components.plan.alerts import ALERTS
from components.plan.dashboards import BOARDS
from lab.toolchain.build import ensure
from tests.metering_database import database, written
from tests.metering_load import DOWN, GPUS, HOURS, INTERVAL_S, SERVICES, Load, Sample
from tests.services import service, tenant

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

WITHIN = 0.01
OWNERS = Owners.of(
    [tenant("alpha"), tenant("beta")],
    [service(name=name, tenant=of) for name, of in SERVICES.items()],
    {"node-1": "l4"},
)


@pytest.fixture(scope="module")
def program() -> Path:
    """The database, as the toolchain pins it."""
    return ensure("victoria-metrics")["victoria-metrics"]


async def metered(url: str, period: Period, now: float) -> dict[str, Usage]:
    async with Direct(url) as direct:
        found = await read_usage(Metrics(direct, base=""), OWNERS, period, now=now, interval_s=INTERVAL_S)
    return {each.service: each for each in found}


async def test_a_scripted_load_is_metered_within_1_percent_across_a_restart(program: Path, tmp_path: Path) -> None:
    now = time.time()
    load = Load(now - (HOURS + 1) * 3600.0)
    middle = load.start + DOWN[0]
    with database(program, tmp_path) as url:
        first = written(url, load.samples(load.start, middle))
    with database(program, tmp_path) as url:
        assert first > 10_000
        assert written(url, load.samples(middle, load.end + 1)) > 10_000
        whole = Period(start=load.start + 601.3, end=load.end - 707.7)
        found, truth = await metered(url, whole, now), load.truth(whole)
        assert set(found) == set(SERVICES)
        for name, use in found.items():
            assert use.tenant == SERVICES[name]
            assert use.gpu_seconds["l4"] == pytest.approx(truth.gpu_seconds[name], rel=WITHIN), name
            assert use.replica_seconds * GPUS[name] == pytest.approx(truth.gpu_seconds[name], rel=WITHIN), name
            assert use.requests == pytest.approx(truth.requests[name], rel=WITHIN), name
            assert use.bytes_out == pytest.approx(truth.bytes_out[name], rel=WITHIN), name
        tokens = sum(use.tokens_out for use in found.values())
        assert tokens == pytest.approx(sum(truth.tokens_out.values()), rel=WITHIN)
        # Two periods that meet, at a time at which much runs and the database was just started: nothing twice or lost.
        edge = middle + 61.7
        halves = [
            await metered(url, part, now)
            for part in (Period(start=whole.start, end=edge), Period(start=edge, end=whole.end))
        ]
        for name, use in found.items():
            for figure in ("requests", "bytes_out", "tokens_out", "replica_seconds"):
                parts = sum(getattr(half[name], figure) for half in halves if name in half)
                assert parts == pytest.approx(getattr(use, figure), rel=1e-9), (name, figure)


async def test_the_database_takes_every_expression_of_alerts_and_boards(program: Path, tmp_path: Path) -> None:
    expressions = [alert.expression for alert in ALERTS]
    expressions += [e.replace("$tenant", "demo") for b in BOARDS for p in b.panels for e, _ in p.expressions]
    with database(program, tmp_path) as url:
        async with Direct(url) as direct:
            for expression in expressions:
                await Metrics(direct, base="").query(expression, at=time.time())


async def test_an_alert_speaks_when_its_figures_say_so(program: Path, tmp_path: Path) -> None:
    now = time.time()
    told: list[Sample] = [
        # of the operator's timer, which may run once an hour
        ("gpuregion_tenant_budget_share", {"tenant": "near"}, now - 3600, 0.85),
        ("gpuregion_tenant_budget_share", {"tenant": "over"}, now - 3600, 1.2),
        ("gpuregion_tenant_budget_share", {"tenant": "fine"}, now - 3600, 0.5),
        ("gpuregion_edge_up", {"edge": "tokyo"}, now - 3600, 0),
        ("gpuregion_edge_up", {"edge": "paris"}, now - 3600, 1),
        ("interceptor_request_concurrency", {"tenant": "demo", "route_name": "stuck"}, now - 5, 3),
        ("interceptor_request_concurrency", {"tenant": "demo", "route_name": "busy"}, now - 5, 3),
        *(
            (
                "kube_deployment_status_replicas_ready",
                {"tenant": "demo", "namespace": "tenant-demo", "deployment": name},
                now - 5,
                ready,
            )
            for name, ready in (("stuck", 0.0), ("busy", 1.0))
        ),
        ("kueue_pending_workloads", {"cluster_queue": "demo", "status": "active"}, now - 5, 2),
        ("kueue_pending_workloads", {"cluster_queue": "idle", "status": "active"}, now - 5, 0),
    ]
    expected = {
        "BudgetNearlyReached": {"tenant": "near"},
        "BudgetReached": {"tenant": "over"},
        "EdgeUnhealthy": {"edge": "tokyo"},
        "ServiceDoesNotWake": {"tenant": "demo", "service": "stuck"},
        "QueueStuck": {"cluster_queue": "demo"},
    }
    with database(program, tmp_path) as url:
        written(url, iter(told))
        async with Direct(url) as direct:
            spoke = {
                alert.name: [dict(row.labels) for row in await Metrics(direct, base="").query(alert.expression, at=now)]
                for alert in ALERTS
            }
    assert {name: rows for name, rows in spoke.items() if rows} == {name: [row] for name, row in expected.items()}
