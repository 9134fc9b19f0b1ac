"""The name of a service over all its regions."""

from __future__ import annotations

from components.plan.edges.model import ZONES
from components.spec.service import Sovereignty


def steered_host(service: str, tenant: str, sovereignty: Sovereignty, domain: str) -> str:
    """`<service>.<tenant>.eu.<domain>` or `<service>.<tenant>.global.<domain>`.

    The class is in the name, so that everyone who holds it sees where it may be answered from.
    """
    return f"{service}.{tenant}.{ZONES[sovereignty]}.{domain}"
