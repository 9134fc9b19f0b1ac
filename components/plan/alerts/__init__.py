"""Alerts as code: one table of rules, and the file that Prometheus, vmalert and the Prometheus operator read.

Owns what is worth waking somebody for. Does not own who is woken: that is the operator's Alertmanager.
"""

from components.plan.alerts.render import group, prometheus_rule
from components.plan.alerts.table import ALERTS, Alert, Severity

__all__ = ["ALERTS", "Alert", "Severity", "group", "prometheus_rule"]
