"""How the gateway of a region says that it is up: the objects that make Envoy answer by itself.

No service is asked, so none is woken, and a region in which nothing is placed is well. It is asked at the gateway's own
listener, by one name that is no service's: by any other the gateway answers 404, as it does elsewhere.
"""

from __future__ import annotations

from typing import Any

from components.plan.tenancy.gateway import ENVOY_API, GATEWAY_GROUP

HEALTH = "health"
"""Name of the route and of its filter."""
OWN_LISTENER = "http"
"""The Gateway's listener that is no tenant's."""


def health_filter_spec() -> dict[str, Any]:
    """The HTTPRouteFilter: an answer of Envoy's own."""
    says = {"type": "Inline", "inline": "the gateway is up\n"}
    return {"directResponse": {"statusCode": 200, "contentType": "text/plain", "body": says}}


def health_route_spec(gateway: str, host: str, path: str) -> dict[str, Any]:
    """The HTTPRoute: this name and path and no other, of the Gateway's own listener."""
    group, _, _ = ENVOY_API.partition("/")
    answer = {"group": group, "kind": "HTTPRouteFilter", "name": HEALTH}
    return {
        "parentRefs": [{"group": GATEWAY_GROUP, "kind": "Gateway", "name": gateway, "sectionName": OWN_LISTENER}],
        "hostnames": [host],
        "rules": [
            {
                "matches": [{"path": {"type": "Exact", "value": path}}],
                "filters": [{"type": "ExtensionRef", "extensionRef": answer}],
            }
        ],
    }
