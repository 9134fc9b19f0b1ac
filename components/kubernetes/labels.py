"""Standard labels of the objects that Pulumi declares in a cluster."""

from __future__ import annotations


def standard_labels(name: str, *, component: str, part_of: str) -> dict[str, str]:
    """The `app.kubernetes.io` labels, as every tool reads them.

    `name` alone also selects pods: the other labels may change in an upgrade, a selector may not.
    """
    return {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/component": component,
        "app.kubernetes.io/part-of": part_of,
        "app.kubernetes.io/managed-by": "pulumi",
    }


def selector_labels(name: str) -> dict[str, str]:
    """The labels by which a Service and a Deployment find their pods; immutable once created."""
    return {"app.kubernetes.io/name": name}
