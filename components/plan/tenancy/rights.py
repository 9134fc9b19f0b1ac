"""What people may do in their tenant's namespace, through the API server.

Nobody of a tenant writes what reaches beyond it or bounds it: Services (their external addresses could catch other
tenants' requests), network policies, quotas, queues, routes. Those follow from the tenant's file. Who may start a pod
can hand it the Secrets of its namespace: so what opens the gateway is kept elsewhere, in the gateway's namespace.
"""

from __future__ import annotations

from typing import Any

from components.plan.tenants import TenantPlan
from components.spec.tenant import PersonRole

_READ = ["get", "list", "watch"]
_WRITE = [*_READ, "create", "update", "patch", "delete"]
_VIEW: tuple[tuple[str, list[str]], ...] = (
    (
        "",
        [
            *("pods", "pods/log", "pods/status", "services", "endpoints", "events", "configmaps", "serviceaccounts"),
            *("resourcequotas", "limitranges", "persistentvolumeclaims"),
        ],
    ),
    ("apps", ["deployments", "replicasets", "statefulsets", "controllerrevisions"]),
    ("autoscaling", ["horizontalpodautoscalers"]),
    ("batch", ["jobs", "cronjobs"]),
    ("discovery.k8s.io", ["endpointslices"]),
    ("events.k8s.io", ["events"]),
    ("gateway.networking.k8s.io", ["httproutes", "grpcroutes"]),
    ("http.keda.sh", ["interceptorroutes", "httpscaledobjects"]),
    ("keda.sh", ["scaledobjects"]),
    ("kueue.x-k8s.io", ["localqueues", "workloads"]),
    ("networking.k8s.io", ["networkpolicies"]),
    ("rbac.authorization.k8s.io", ["roles", "rolebindings"]),
    ("resource.k8s.io", ["resourceclaims", "resourceclaimtemplates"]),
)
_DEPLOY: tuple[tuple[str, list[str]], ...] = (
    ("", ["configmaps", "pods"]),
    ("apps", ["deployments", "deployments/scale", "statefulsets", "statefulsets/scale"]),
    ("batch", ["jobs", "cronjobs"]),
    ("resource.k8s.io", ["resourceclaims", "resourceclaimtemplates"]),
)
_OWN: tuple[tuple[str, list[str]], ...] = (
    ("", ["secrets", "persistentvolumeclaims", "pods/exec", "pods/portforward", "pods/attach"]),
    ("rbac.authorization.k8s.io", ["rolebindings"]),
)


def role_name(role: PersonRole) -> str:
    """Name of the ClusterRole; rights of it are given in single namespaces only."""
    return f"gpuregion-tenant-{role.value}"


def role_rules(role: PersonRole) -> list[dict[str, Any]]:
    """Rules of a ClusterRole. Each role may do what the one below it may."""
    rules = [_rule(group, resources, _READ) for group, resources in _VIEW]
    if role is not PersonRole.VIEWER:
        rules += [_rule(group, resources, _WRITE) for group, resources in _DEPLOY]
    if role is PersonRole.ADMIN:
        rules += [_rule(group, resources, _WRITE) for group, resources in _OWN]
    return rules


def binding_name(tenant: TenantPlan, role: PersonRole) -> str | None:
    """Name of the RoleBinding, None where nobody has the role."""
    return f"tenant-{role.value}" if any(person.role is role for person in tenant.people) else None


def binding(tenant: TenantPlan, role: PersonRole) -> dict[str, Any]:
    """`roleRef` and `subjects` of the RoleBinding that gives everybody of a role its rights."""
    group = "rbac.authorization.k8s.io"
    people = sorted(person.name for person in tenant.people if person.role is role)
    return {
        "role_ref": {"apiGroup": group, "kind": "ClusterRole", "name": role_name(role)},
        "subjects": [{"apiGroup": group, "kind": "User", "name": name} for name in people],
    }


def _rule(group: str, resources: list[str], verbs: list[str]) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}
