"""The status page: what runs on a region at one time, as one self-contained HTML file without a script."""

from components.plan.status.model import EdgeLine, GpuLine, Level, ReplicaLine, ServiceLine, Status, TenantLine
from components.plan.status.page import render_status

__all__ = [
    "EdgeLine",
    "GpuLine",
    "Level",
    "ReplicaLine",
    "ServiceLine",
    "Status",
    "TenantLine",
    "render_status",
]
