"""Tokens of simulated joins, one for each and gone with it.

The role kubernetes has each made by kubeadm on the control plane. That is a program's start for each join, which a
measurement would count as the API server's: here they are made by the call that kubeadm makes.
"""

from __future__ import annotations

import base64
import secrets
import string
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from components.clients.cluster_joins import ClusterJoins

SECRETS = "/api/v1/namespaces/kube-system/secrets"
LIVES = timedelta(minutes=10)
_LETTERS = string.ascii_lowercase + string.digits


class JoinTokens(ClusterJoins):
    """A cluster that gives tokens."""

    @asynccontextmanager
    async def token(self, machine: str) -> AsyncGenerator[str]:
        """A token for the join of one machine, removed at the end of the block. Raises KubernetesError."""
        id, secret = _random(6), _random(16)
        name = f"bootstrap-token-{id}"
        await self._request("POST", SECRETS, {}, _secret(name, id, secret, machine))
        try:
            yield f"{id}.{secret}"
        finally:
            await self._request("DELETE", f"{SECRETS}/{name}", {})


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def _secret(name: str, id: str, secret: str, machine: str) -> dict[str, object]:
    """As `kubeadm token create --usages authentication` makes it: good for a join, not for discovery."""
    data = {
        "token-id": id,
        "token-secret": secret,
        "usage-bootstrap-authentication": "true",
        "auth-extra-groups": "system:bootstrappers:kubeadm:default-node-token",
        "description": f"join of {machine}",
        "expiration": (datetime.now(UTC) + LIVES).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": "kube-system"},
        "type": "bootstrap.kubernetes.io/token",
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()},
    }
