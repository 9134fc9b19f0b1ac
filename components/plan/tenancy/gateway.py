"""A tenant's place at the region's gateway: its own names, certificate, keys, rate and retries.

All of it stands in the gateway's namespace, out of the tenants' reach. Each tenant has a ListenerSet: a Gateway holds
64 listeners at most, a region a thousand tenants. A tenant with keys has no plain HTTP, not even a redirect, which
would hide that a key was sent in clear; one without keeps it, for callers and checks that trust no authority yet.
"""

from __future__ import annotations

from math import ceil
from typing import Any

from components.plan.serving import GATEWAY_NAMESPACE, TENANT_LABEL
from components.plan.tenants import ServicePlan, TenantPlan

GATEWAY_API, ENVOY_API = "gateway.networking.k8s.io/v1", "gateway.envoyproxy.io/v1alpha1"
GATEWAY_GROUP = "gateway.networking.k8s.io"
KEY_HEADERS = ("Authorization", "X-API-Key")
"""Where a key is looked for; of the first one `Bearer KEY` is taken."""
CLIENT_HEADER = "X-Region-Client"
"""Tells the service, and the metering, which key was used; by its name in the tenant's file."""
PROXIES = 2
"""Envoy pods of the Gateway, as the role envoy_gateway makes them. Each counts for itself."""
RETRIES = 3
"""Times that a proxy offers a request to an interceptor again; more than there are that can die at once."""
IDEMPOTENT = ("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE")
"""Methods that anybody on the way may repeat (RFC 9110, 9.2.2)."""
RETRY_HEADER = "x-envoy-retry-on"
"""Adds to what the policy says is offered again, for one request. Envoy takes it off what comes from clients, and off
what it sends on."""
CONNECT_TIMEOUT = "1s"
"""Until an interceptor whose host is dead counts as unreachable. Envoy Gateway's own is 10 s."""
CERTIFICATE_DAYS, RENEW_DAYS = 397, 30
"""How long a certificate lasts, and how long before its end the next `up` makes a new one."""


def listener_set_name(tenant: str) -> str:
    """Name of a tenant's ListenerSet, policies, and the stem of its Secrets' names."""
    return tenant


def domains(tenant: TenantPlan) -> dict[str, str]:
    """What the tenant's services are called below. Keys are what its listeners' and certificates' names end with.

    Each has a certificate of its own: from listeners whose certificates have a name in common Envoy Gateway takes
    HTTP/2, as a client might use one's connection for the other.
    """
    return {"": tenant.domain, **{f"-{zone}": domain for zone, domain in tenant.steered}}


def tls_secret_name(tenant: str, ending: str = "") -> str:
    """Secret of a certificate of the tenant."""
    return f"{tenant}-tls{ending}"


def keys_secret_name(tenant: str) -> str:
    """Secret of the tenant's API keys: name of the client -> key."""
    return f"{tenant}-keys"


def certificate_names(domain: str) -> list[str]:
    """What a certificate of a tenant is for."""
    return [f"*.{domain}"]


def listener_set_spec(tenant: TenantPlan, gateway: str) -> dict[str, Any]:
    """The tenant's listeners: its own names, open to routes of its own namespace only. All have its policies."""
    named = domains(tenant).items()
    return {
        "parentRef": {"group": GATEWAY_GROUP, "kind": "Gateway", "name": gateway, "namespace": GATEWAY_NAMESPACE},
        "listeners": [listener for ending, domain in named for listener in _listeners(tenant, ending, domain)],
    }


def _listeners(tenant: TenantPlan, ending: str, domain: str) -> list[dict[str, Any]]:
    own = {"namespaces": {"from": "Selector", "selector": {"matchLabels": {TENANT_LABEL: tenant.namespace}}}}
    named = {"hostname": f"*.{domain}", "allowedRoutes": own}
    https = {
        "name": f"https{ending}",
        "port": 443,
        "protocol": "HTTPS",
        "tls": {
            "mode": "Terminate",
            "certificateRefs": [{"group": "", "kind": "Secret", "name": tls_secret_name(tenant.name, ending)}],
        },
        **named,
    }
    http = {"name": f"http{ending}", "port": 80, "protocol": "HTTP", **named}
    return [https] if tenant.keys else [http, https]


def parent_reference(service: ServicePlan) -> dict[str, Any]:
    """What a service's route attaches to: all listeners of its tenant."""
    return {
        "group": GATEWAY_GROUP,
        "kind": "ListenerSet",
        "name": listener_set_name(service.tenant),
        "namespace": GATEWAY_NAMESPACE,
    }


def service_url(service: ServicePlan) -> str:
    """Where clients call it."""
    return f"{'https' if service.has_keys else 'http'}://{service.host}/"


def keys_spec(tenant: TenantPlan) -> dict[str, Any]:
    """The SecurityPolicy: a request without one of the tenant's own keys is answered 401.

    The key goes no further than the gateway; the name of the client does.
    """
    return {
        "targetRefs": [_target(tenant)],
        "apiKeyAuth": {
            "credentialRefs": [{"group": "", "kind": "Secret", "name": keys_secret_name(tenant.name)}],
            "extractFrom": [{"headers": list(KEY_HEADERS)}],
            "forwardClientIDHeader": CLIENT_HEADER,
            "sanitize": True,
        },
    }


def traffic_spec(tenant: TenantPlan) -> dict[str, Any]:
    """The BackendTrafficPolicy: what becomes of a request that an interceptor does not take, and the tenant's rate.

    What was never sent is sent again, whatever its method. What an interceptor had when it died is sent again where
    `repeats_filter` says so, else answered 503.
    """
    spec: dict[str, Any] = {
        "targetRefs": [_target(tenant)],
        # To another interceptor each time: the policy's own rule, which Envoy Gateway adds.
        "retry": {
            "numRetries": RETRIES,
            "retryOn": {"triggers": ["connect-failure", "refused-stream", "reset-before-request"]},
            "perRetry": {"backOff": {"baseInterval": "25ms", "maxInterval": "250ms"}},
        },
        "timeout": {"tcp": {"connectTimeout": CONNECT_TIMEOUT}},
    }
    if tenant.rate_limit_rps is not None:
        spec["rateLimit"] = _rate(tenant.rate_limit_rps)
    return spec


def repeats_filter(service: ServicePlan) -> dict[str, Any]:
    """The filter of a service's route: which requests are sent again that an interceptor had and did not answer.

    Not a policy of the route, which would take the place of the tenant's, nor a rule of the route for some methods,
    which would be a route of Envoy's with a rate of its own: a client would get the tenant's rate twice.
    """
    methods = ", ".join(f"'{method}'" for method in IDEMPOTENT)
    value = "reset" if service.is_repeatable else f"%CEL(request.method in [{methods}] ? 'reset' : '')%"
    change = {"set": [{"name": RETRY_HEADER, "value": value}]}
    return {"type": "RequestHeaderModifier", "requestHeaderModifier": change}


def _rate(rps: int) -> dict[str, Any]:
    """Requests beyond the rate are answered 429. Each proxy lets its share through, to each service by each of its
    names, so the sum holds however requests are spread, and a single connection gets that share."""
    return {"local": {"rules": [{"limit": {"requests": ceil(rps / PROXIES), "unit": "Second"}}]}}


def _target(tenant: TenantPlan) -> dict[str, Any]:
    return {"group": GATEWAY_GROUP, "kind": "ListenerSet", "name": listener_set_name(tenant.name)}
