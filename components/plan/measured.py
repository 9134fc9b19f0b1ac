"""Series that the region measures: those that dashboards, alerts and bills read, where they come from, their labels.

Owns the names only. The role `metrics` scrapes them, and gives each of a tenant's series the label `tenant`.
"""

from __future__ import annotations

from dataclasses import dataclass

REQUESTS = "interceptor_request_count_total"
CLAIM_DEVICE = "kube_resourceclaim_allocated_device"
CLAIM_POD = "kube_resourceclaim_reserved_for"
POD_LABELS = "kube_pod_labels"
SERVICE_OF_POD = "label_gpuregion_dev_service"
BYTES_IN = "envoy_cluster_upstream_cx_tx_bytes_total"
"""What the proxy sent on to a service: its requests."""
BYTES_OUT = "envoy_cluster_upstream_cx_rx_bytes_total"
"""What a service answered."""
TOKENS_IN = "vllm:prompt_tokens_total"
TOKENS_OUT = "vllm:generation_tokens_total"
BUDGET_SHARE = "gpuregion_tenant_budget_share"
COST_MONTH = "gpuregion_tenant_cost_eur"
EDGE_UP = "gpuregion_edge_up"
LAST_RECORD = "gpuregion_usage_recorded_timestamp_seconds"
"""Written with every record, also of a region whose tenants used nothing: that it is missing says that none came."""
RECORDED = "90m"
"""How long a figure that `region usage --record` wrote counts: it comes from a timer an hour or less apart, and a
question without a window looks back five minutes only, so an alert would end between two runs."""

INTERVAL_S = 5
"""Seconds between two looks, of the role `metrics`."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """One series, or several that share a name."""

    name: str
    source: str
    """Program that tells it."""
    labels: frozenset[str]
    about: str


def _series(source: str, about: str, name: str, labels: str = "") -> Series:
    return Series(name=name, source=source, labels=frozenset(labels.split()), about=about)


_ALL = (
    _series("interceptor", "requests answered", REQUESTS, "route_namespace route_name code method tenant instance"),
    _series(
        "interceptor",
        "requests in flight or waiting",
        "interceptor_request_concurrency",
        "route_namespace route_name tenant instance",
    ),
    _series(
        "interceptor",
        "time from a request to its whole answer",
        "interceptor_request_duration_seconds_bucket",
        "route_namespace route_name code method tenant instance le",
    ),
    _series(
        "state", "devices that are allocated", CLAIM_DEVICE, "namespace resourceclaim uid driver pool device tenant"
    ),
    _series("state", "pod that uses a claim", CLAIM_POD, "namespace resourceclaim uid resource pod tenant"),
    _series("state", "labels of pods", POD_LABELS, f"namespace pod uid tenant {SERVICE_OF_POD}"),
    _series("state", "phase of pods", "kube_pod_status_phase", "namespace pod uid phase tenant"),
    _series("state", "readiness of pods", "kube_pod_status_ready", "namespace pod uid condition tenant"),
    _series("state", "replicas wanted", "kube_deployment_spec_replicas", "namespace deployment tenant"),
    _series("state", "replicas that answer", "kube_deployment_status_replicas_ready", "namespace deployment tenant"),
    _series(
        "state",
        "state of deployments",
        "kube_deployment_status_condition",
        "namespace deployment condition status reason tenant",
    ),
    _series("state", "state of nodes", "kube_node_status_condition", "node condition status"),
    _series("kueue", "workloads that wait", "kueue_pending_workloads", "cluster_queue status"),
    _series("kueue", "workloads that were admitted", "kueue_admitted_workloads_total", "cluster_queue"),
    _series("kueue", "state of queues", "kueue_cluster_queue_status", "cluster_queue status"),
    _series("proxy", "bytes to services", BYTES_IN, "envoy_cluster_name namespace route tenant"),
    _series("proxy", "bytes from services", BYTES_OUT, "envoy_cluster_name namespace route tenant"),
    _series(
        "proxy",
        "answers by class",
        "envoy_cluster_upstream_rq_xx",
        "envoy_cluster_name namespace route tenant envoy_response_code_class",
    ),
    _series("kubelet", "processor time of containers", "container_cpu_usage_seconds_total", "namespace pod tenant"),
    _series("pods", "tokens read", TOKENS_IN, "namespace pod service tenant"),
    _series("pods", "tokens written", TOKENS_OUT, "namespace pod service tenant"),
    _series("scrape", "whether a target answered", "up", "job instance"),
    _series("region usage --record", "part of the month's budget that is used", BUDGET_SHARE, "tenant"),
    _series("region usage --record", "cost of the month until now, EUR", COST_MONTH, "tenant service"),
    _series("region usage --record", "1 while an edge answers", EDGE_UP, "edge"),
    _series("region usage --record", "time of the record, Unix seconds", LAST_RECORD),
)
SERIES = {each.name: each for each in _ALL}
"""By name."""
