"""Every alert: when it speaks, how long that must last, what it says, and its runbook."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from components.plan.cost.budget import WARN_AT
from components.plan.measured import BUDGET_SHARE, EDGE_UP, LAST_RECORD, RECORDED

TENANTS = 'namespace=~"tenant-.+"'
_SHARE = f"max by (tenant) (last_over_time({BUDGET_SHARE}[{RECORDED}]))"


class Severity(StrEnum):
    """Whom it reaches."""

    PAGE = "page"
    """Somebody, now: clients get no answer."""
    TICKET = "ticket"
    """The day's work."""


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One alert."""

    name: str
    expression: str
    """PromQL; true where it has rows, one alert a row."""
    wait_m: int
    """Minutes that it must be true."""
    severity: Severity
    says: str
    """One sentence; `$labels` of the row may stand in it."""
    runbook: str
    """File in docs/runbooks, without its ending."""


ALERTS: tuple[Alert, ...] = (
    Alert(
        name="ServiceDoesNotWake",
        # Requests are held, and no replica of the tenant's service of that name answers.
        expression=(
            "sum by (tenant, service) (label_replace(interceptor_request_concurrency,"
            ' "service", "$1", "route_name", "(.+)")) > 0'
            " unless on (tenant, service) sum by (tenant, service) (label_replace("
            f"kube_deployment_status_replicas_ready{{{TENANTS}}},"
            ' "service", "$1", "deployment", "(.+)")) > 0'
        ),
        wait_m=2,
        severity=Severity.PAGE,
        says="requests for {{ $labels.tenant }}/{{ $labels.service }} wait, and no replica answers",
        runbook="FunctionDoesNotWake",
    ),
    Alert(
        name="ServiceAnswersErrors",
        expression=(
            'sum by (tenant, route_name) (rate(interceptor_request_count_total{code=~"5.."}[5m]))'
            " / sum by (tenant, route_name) (rate(interceptor_request_count_total[5m])) > 0.05"
        ),
        wait_m=5,
        severity=Severity.PAGE,
        says="more than 5 % of the answers of {{ $labels.tenant }}/{{ $labels.route_name }} are errors",
        runbook="FunctionDoesNotWake",
    ),
    Alert(
        name="QueueStuck",
        expression=(
            'max by (cluster_queue) (kueue_pending_workloads{status="active"}) > 0'
            " unless on (cluster_queue) sum by (cluster_queue) (increase(kueue_admitted_workloads_total[15m])) > 0"
        ),
        wait_m=15,
        severity=Severity.TICKET,
        says="work waits in {{ $labels.cluster_queue }} and none was admitted for 15 minutes",
        runbook="QueueStuck",
    ),
    Alert(
        name="QueueInactive",
        expression='max by (cluster_queue) (kueue_cluster_queue_status{status!="active"}) > 0',
        wait_m=5,
        severity=Severity.TICKET,
        says="the queue {{ $labels.cluster_queue }} takes no work",
        runbook="QueueStuck",
    ),
    Alert(
        name="QuotaExhausted",
        # The API server refuses pods of this deployment; nearly always for its quota, and the runbook tells the rest.
        expression=(
            "max by (tenant, namespace, deployment) (kube_deployment_status_condition"
            f'{{{TENANTS},condition="ReplicaFailure",status="true"}}) > 0'
        ),
        wait_m=5,
        severity=Severity.TICKET,
        says="pods of {{ $labels.namespace }}/{{ $labels.deployment }} are refused",
        runbook="QuotaExhausted",
    ),
    Alert(
        name="EdgeUnhealthy",
        expression=f"max by (edge) (last_over_time({EDGE_UP}[{RECORDED}])) < 1",
        wait_m=1,
        severity=Severity.PAGE,
        says="the edge {{ $labels.edge }} does not answer; clients are steered elsewhere",
        runbook="EdgeUnhealthy",
    ),
    Alert(
        name="BudgetNearlyReached",
        expression=f"{_SHARE} >= {WARN_AT} < 1",
        wait_m=0,
        severity=Severity.TICKET,
        says="{{ $labels.tenant }} used {{ $value | humanizePercentage }} of the month's budget",
        runbook="BudgetReached",
    ),
    Alert(
        name="BudgetReached",
        expression=f"{_SHARE} >= 1",
        wait_m=0,
        severity=Severity.TICKET,
        says="{{ $labels.tenant }} used {{ $value | humanizePercentage }} of the month's budget",
        runbook="BudgetReached",
    ),
    Alert(
        name="UsageNotRecorded",
        # Nothing came for as long as a record counts. A metering that is younger than that, as a new region's, is given
        # the time for its first one.
        expression=f"absent_over_time({LAST_RECORD}[{RECORDED}]) and count(up offset {RECORDED})",
        wait_m=0,
        severity=Severity.TICKET,
        says=f"no use was recorded for {RECORDED}: the alerts on budgets and edges are silent",
        runbook="UsageNotRecorded",
    ),
    Alert(
        name="NodeNotReady",
        expression='max by (node) (kube_node_status_condition{condition="Ready",status="true"}) < 1',
        wait_m=2,
        severity=Severity.PAGE,
        says="{{ $labels.node }} is not ready",
        runbook="NodeNotReady",
    ),
)
