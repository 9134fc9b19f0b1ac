"""Runs a Pulumi program against a recording engine, without a provider.

The one mock engine of all component tests: it records what is registered, under which parent, and
what components give out. It answers each custom resource with its own inputs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pulumi
from pulumi.runtime import mocks


@dataclass(frozen=True, kw_only=True)
class Registered:
    """One resource as the engine would see it."""

    type: str
    name: str
    parent: str
    """Logical name of the parent; empty for the stack itself."""
    is_component: bool
    inputs: dict[str, Any]
    depends_on: frozenset[str]
    """Logical names of all resources that must exist first."""
    ignored: tuple[str, ...]
    """Properties that are the same whatever the program says."""
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    """What a component registered at its end; empty for others."""


class _Echo(pulumi.runtime.Mocks):
    """Answers each resource with its inputs, and with a name if it was given none."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        inputs = cast(dict[Any, Any], args.inputs)
        if isinstance(metadata := inputs.get("metadata"), dict) and "name" not in metadata:
            # as the provider of Kubernetes objects does
            inputs = {**inputs, "metadata": {**cast(dict[Any, Any], metadata), "name": f"{args.name}-1a2b"}}
        return f"{args.name}-id", inputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        return {}, None


def _name(urn: str) -> str:
    return "" if "pulumi:pulumi:Stack::" in urn else urn.rpartition("::")[2]


class _Monitor(mocks.MockMonitor):
    """Pulumi's mock monitor, with a memory for parents, dependencies and component outputs."""

    def __init__(self) -> None:
        super().__init__(_Echo())
        self.seen: dict[str, Registered] = {}

    def RegisterResource(self, request: Any) -> Any:
        if request.type != "pulumi:pulumi:Stack":
            self.seen[request.name] = Registered(
                type=request.type,
                name=request.name,
                parent=_name(request.parent),
                is_component=not request.custom,
                inputs=pulumi.runtime.rpc.deserialize_properties(request.object),
                depends_on=frozenset(_name(urn) for urn in request.dependencies),
                ignored=tuple(request.ignoreChanges),
            )
        return super().RegisterResource(request)

    def RegisterResourceOutputs(self, request: Any) -> Any:
        seen = self.seen.get(_name(request.urn))
        if seen is not None:
            seen.outputs.update(pulumi.runtime.rpc.deserialize_properties(request.outputs))
        return super().RegisterResourceOutputs(request)


def declare(program: Callable[[], object]) -> dict[str, Registered]:
    """Run the program to its end; returns everything it registered, by logical name."""
    # Pulumi wants a current event loop; async tests before this one have closed theirs.
    asyncio.set_event_loop(asyncio.new_event_loop())
    monitor = _Monitor()
    mocks.set_mocks(_Echo(), project="region", stack="lab.test", monitor=monitor)

    @pulumi.runtime.test
    def run() -> None:
        program()

    run()
    return monitor.seen


def children(seen: dict[str, Registered], parent: str) -> dict[str, Registered]:
    """The direct children of a component."""
    return {name: r for name, r in seen.items() if r.parent == parent}
