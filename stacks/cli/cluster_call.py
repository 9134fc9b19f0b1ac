"""A command's call of the API server of its region's cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from components.clients.kubernetes_change import KubernetesChange
from components.plan.naming import kubeconfig_path
from stacks.project import ROOT

T = TypeVar("T")


def on_cluster(region: str, work: Callable[[KubernetesChange], Awaitable[T]], *, timeout_s: float = 10) -> T:
    """What the work comes to. `timeout_s` is of each answer. Raises KubeconfigError, KubernetesError."""

    async def call() -> T:
        async with KubernetesChange.from_file(ROOT / kubeconfig_path(region), timeout_s=timeout_s) as api:
            return await work(api)

    return asyncio.run(call())
