"""The table of alerts as documents: rules as Prometheus and vmalert read them, and as the Prometheus operator does."""

from __future__ import annotations

from typing import Any

from components.plan.alerts.table import ALERTS, Alert

GROUP = "gpuregion"
RUNBOOKS = "docs/runbooks"


def prometheus_rule(region: str) -> dict[str, Any]:
    """The object of the Prometheus operator."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": GROUP, "labels": {"app.kubernetes.io/part-of": region}},
        "spec": {"groups": [group(region)]},
    }


def group(region: str) -> dict[str, Any]:
    """All rules of a region."""
    return {"name": GROUP, "interval": "30s", "rules": [rule(alert, region) for alert in ALERTS]}


def rule(alert: Alert, region: str) -> dict[str, Any]:
    """One rule."""
    return {
        "alert": alert.name,
        "expr": alert.expression,
        "for": f"{alert.wait_m}m",
        "labels": {"severity": alert.severity.value, "region": region},
        "annotations": {"summary": f"{region}: {alert.says}", "runbook_url": f"{RUNBOOKS}/{alert.runbook}.md"},
    }
