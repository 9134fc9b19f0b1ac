"""Whom a tenant's pods may speak to.

All that is not named here is refused: other tenants, the API server, hosts, their kubelets, the out-of-band network
with its BMCs, Ironic and switches, and the interceptor, which asks for no key. A host always reaches its own pods, as
probes must. The enforcer sees pods' addresses after those of services are translated, so rules name pods.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from components.plan.model import RegionPlan
from components.plan.models import weights
from components.plan.serving import ENVOY_NAMESPACE, KEDA_NAMESPACE, METRICS_NAMESPACE
from components.plan.tenants import TenantPlan

NAMESPACE_NAME = "kubernetes.io/metadata.name"
"""Label that the API server keeps on each namespace; nobody can give another's."""
ENVOY_PORTS = (10080, 10443)
"""Where Envoy listens for what comes in on 80 and 443: Envoy Gateway adds 10000 to ports that need privileges."""
_HTTPS, _HTTP = 443, 80


@dataclass(frozen=True, kw_only=True)
class Outside:
    """An endpoint of the region that tenants' pods may reach."""

    name: str
    address: str
    port: int


def endpoints(plan: RegionPlan) -> tuple[Outside, ...]:
    """What of the region stands open to tenants' pods: images with their tokens, and the object store."""
    address, store = plan.endpoints.address, urlsplit(plan.endpoints.s3)
    registry, tokens = (int(e.rpartition(":")[2]) for e in (plan.endpoints.registry, plan.endpoints.registry_tokens))
    default, host = _HTTPS if store.scheme == "https" else _HTTP, store.hostname or ""
    return (
        Outside(name="registry", address=address, port=registry),
        Outside(name="registry-tokens", address=address, port=tokens),
        Outside(name="s3", address=host if _is_address(host) else address, port=store.port or default),
    )


def tenant_ports(plan: RegionPlan, tenant: TenantPlan) -> tuple[int, ...]:
    """Ports on which the tenant's services are called."""
    services = (s for s in plan.runtime.services if s.tenant == tenant.name)
    return tuple(sorted({port.port for service in services for port in service.ports}))


def policies(ports: Iterable[int], outside: Iterable[Outside]) -> dict[str, dict[str, Any]]:
    """Name -> spec of each NetworkPolicy of a tenant's namespace."""
    found: dict[str, dict[str, Any]] = {
        "deny-all": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
        "within-tenant": {
            "podSelector": {},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": [{"podSelector": {}}]}],
            "egress": [{"to": [{"podSelector": {}}]}],
        },
        "to-region": {
            "podSelector": {},
            "policyTypes": ["Egress"],
            "egress": [
                {"to": [_pods("kube-system", "k8s-app", "kube-dns")], "ports": [_port(53, "UDP"), _port(53)]},
                {
                    "to": [_pods(ENVOY_NAMESPACE, "app.kubernetes.io/component", "proxy")],
                    "ports": [_port(port) for port in ENVOY_PORTS],
                },
                {
                    "to": [_pods(weights.NAMESPACE, "app.kubernetes.io/name", weights.APP)],
                    "ports": [_port(weights.PORT)],
                },
                *(
                    {"to": [{"ipBlock": {"cidr": f"{each.address}/32"}}], "ports": [_port(each.port)]}
                    for each in outside
                ),
            ],
        },
    }
    if called := [_port(port) for port in ports]:
        platform = [_namespace(name) for name in (KEDA_NAMESPACE, ENVOY_NAMESPACE, METRICS_NAMESPACE)]
        found["from-platform"] = {
            "podSelector": {},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": platform, "ports": called}],
        }
    return found


def _is_address(host: str) -> bool:
    return all(part.isdigit() for part in host.split("."))


def _namespace(name: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: name}}}


def _pods(namespace: str, label: str, value: str) -> dict[str, Any]:
    return {**_namespace(namespace), "podSelector": {"matchLabels": {label: value}}}


def _port(port: int, protocol: str = "TCP") -> dict[str, Any]:
    return {"port": port, "protocol": protocol}
