"""The three dashboards. Every series in them is one of components/plan/measured.py; a test holds that."""

from __future__ import annotations

from components.plan.dashboards.panel import Board, Panel, Unit
from components.plan.measured import BUDGET_SHARE, COST_MONTH, EDGE_UP, LAST_RECORD, RECORDED

QUANTILE = "histogram_quantile({q}, sum by (le{more}) (rate(interceptor_request_duration_seconds_bucket{of}[5m])))"


def _quantiles(of: str = "", more: str = "", name: str = "") -> tuple[tuple[str, str], ...]:
    return tuple((QUANTILE.format(q=q, of=of, more=more), f"{name}p{round(q * 100)}") for q in (0.5, 0.95, 0.99))


PLATFORM = Board(
    uid="gpuregion-platform",
    title="Region: platform",
    about="The whole region: GPUs, requests, queues, nodes, money.",
    panels=(
        Panel(
            title="GPUs in use",
            about="Devices that are allocated to a claim.",
            expressions=(("count(kube_resourceclaim_allocated_device)", "GPUs"),),
            unit=Unit.COUNT,
            kind="stat",
            width=6,
        ),
        Panel(
            title="Requests",
            about="Answered in a second, all services.",
            expressions=(("sum(rate(interceptor_request_count_total[5m]))", "requests"),),
            unit=Unit.RATE,
            kind="stat",
            width=6,
        ),
        Panel(
            title="Replicas that answer",
            about="Of all services.",
            expressions=(('sum(kube_deployment_status_replicas_ready{namespace=~"tenant-.+"})', "replicas"),),
            unit=Unit.COUNT,
            kind="stat",
            width=6,
        ),
        Panel(
            title="Nodes not ready",
            about="None is good.",
            expressions=(
                ('count(kube_node_status_condition{condition="Ready",status="true"} == 0) or vector(0)', "nodes"),
            ),
            unit=Unit.COUNT,
            kind="stat",
            width=6,
        ),
        Panel(
            title="GPUs by tenant",
            about="Devices that each tenant holds.",
            expressions=(("count by (tenant) (kube_resourceclaim_allocated_device)", "{{tenant}}"),),
            unit=Unit.COUNT,
        ),
        Panel(
            title="Requests by tenant",
            about="Answered in a second.",
            expressions=(("sum by (tenant) (rate(interceptor_request_count_total[5m]))", "{{tenant}}"),),
            unit=Unit.RATE,
        ),
        Panel(
            title="Time to answer",
            about="From a request to its whole answer, waking included.",
            expressions=_quantiles(),
            unit=Unit.SECONDS,
        ),
        Panel(
            title="Errors",
            about="Part of the answers with status 5xx.",
            expressions=(
                (
                    'sum(rate(interceptor_request_count_total{code=~"5.."}[5m]))'
                    " / sum(rate(interceptor_request_count_total[5m]))",
                    "errors",
                ),
            ),
            unit=Unit.SHARE,
            most=1,
        ),
        Panel(
            title="Work that waits in queues",
            about="Workloads that Kueue has not admitted yet.",
            expressions=(("sum by (cluster_queue) (kueue_pending_workloads)", "{{cluster_queue}}"),),
            unit=Unit.COUNT,
        ),
        Panel(
            title="Budgets",
            about="Part of each tenant's month that is used; 1 is all of it.",
            expressions=((f"max by (tenant) (last_over_time({BUDGET_SHARE}[{RECORDED}]))", "{{tenant}}"),),
            unit=Unit.SHARE,
        ),
        Panel(
            title="Since the last record",
            about=f"Budgets, cost and edges are as old as this, and gone after {RECORDED}.",
            expressions=((f"time() - max(last_over_time({LAST_RECORD}[1d]))", "age"),),
            unit=Unit.SECONDS,
            width=24,
        ),
    ),
)

TENANT = Board(
    uid="gpuregion-tenant",
    title="Region: one tenant",
    about="What one tenant's services do, use and cost.",
    by_tenant=True,
    panels=(
        Panel(
            title="Requests by service",
            about="Answered in a second.",
            expressions=(
                ('sum by (route_name) (rate(interceptor_request_count_total{tenant="$tenant"}[5m]))', "{{route_name}}"),
            ),
            unit=Unit.RATE,
        ),
        Panel(
            title="Requests in flight or waiting",
            about="A service that sleeps and has one here is waking.",
            expressions=(
                ('sum by (route_name) (interceptor_request_concurrency{tenant="$tenant"})', "{{route_name}}"),
            ),
            unit=Unit.COUNT,
        ),
        Panel(
            title="Time to answer",
            about="p50, p95 and p99 of each service, waking included.",
            expressions=_quantiles('{tenant="$tenant"}', ", route_name", "{{route_name}} "),
            unit=Unit.SECONDS,
        ),
        Panel(
            title="Replicas that answer",
            about="0 is asleep.",
            expressions=(
                (
                    'sum by (deployment) (kube_deployment_status_replicas_ready{tenant="$tenant"})',
                    "{{deployment}}",
                ),
            ),
            unit=Unit.COUNT,
        ),
        Panel(
            title="GPUs",
            about="Devices that are claimed.",
            expressions=(('count(kube_resourceclaim_allocated_device{tenant="$tenant"})', "GPUs"),),
            unit=Unit.COUNT,
        ),
        Panel(
            title="Tokens",
            about="Read and written in a second, by service.",
            expressions=(
                ('sum by (service) (rate(vllm:prompt_tokens_total{tenant="$tenant"}[5m]))', "{{service}} read"),
                ('sum by (service) (rate(vllm:generation_tokens_total{tenant="$tenant"}[5m]))', "{{service}} written"),
            ),
            unit=Unit.TOKENS_RATE,
        ),
        Panel(
            title="Bytes sent",
            about="Answers through the gateway.",
            expressions=(
                (
                    'sum by (route) (rate(envoy_cluster_upstream_cx_rx_bytes_total{tenant="$tenant"}[5m]))',
                    "{{route}}",
                ),
            ),
            unit=Unit.BYTES_RATE,
        ),
        Panel(
            title="Cost of the month until now",
            about="At the prices of the catalogue, without tax.",
            expressions=(
                (
                    f'sum by (service) (last_over_time({COST_MONTH}{{tenant="$tenant"}}[{RECORDED}]))',
                    "{{service}}",
                ),
            ),
            unit=Unit.EURO,
        ),
    ),
)

EDGES = Board(
    uid="gpuregion-edges",
    title="Region: edges",
    about="Whether edges answer, and what their clients see.",
    panels=(
        Panel(
            title="Edges that answer",
            about="1 while an edge answers.",
            expressions=((f"max by (edge) (last_over_time({EDGE_UP}[{RECORDED}]))", "{{edge}}"),),
            unit=Unit.STATE,
            kind="stat",
            width=24,
            most=1,
        ),
        Panel(
            title="Edges over time",
            about="0 is an edge that clients are steered away from.",
            expressions=((f"max by (edge) (last_over_time({EDGE_UP}[{RECORDED}]))", "{{edge}}"),),
            unit=Unit.STATE,
            most=1,
        ),
        Panel(
            title="Requests here",
            about="Answered in a second by the services of this region.",
            expressions=(("sum by (route_name) (rate(interceptor_request_count_total[5m]))", "{{route_name}}"),),
            unit=Unit.RATE,
        ),
        Panel(
            title="Time to answer here",
            about="Without the way from the client to the edge.",
            expressions=_quantiles(),
            unit=Unit.SECONDS,
        ),
        Panel(
            title="Sources of the metering",
            about="Targets that answer, by kind.",
            expressions=(("sum by (job) (up)", "{{job}}"),),
            unit=Unit.COUNT,
        ),
    ),
)

BOARDS = (PLATFORM, TENANT, EDGES)
