"""The provider of the peer, in a module of its own: so the SDK records it by name and not as pickled code."""

from __future__ import annotations

from typing import Any

from pulumi.dynamic import CreateResult, DiffResult, ResourceProvider


class EndpointProvider(ResourceProvider):
    """Does nothing, at once: only the layout is measured."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(id_=props["name"], outs=props)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        return DiffResult(changes=_olds["serial"] != _news["serial"])
