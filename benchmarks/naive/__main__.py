"""One dynamic resource for each BMC-like endpoint of a region: the layout that grows out of a loop over devices.

Reads the endpoints from a file, so that it pays for nothing but its resources.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider


class EndpointProvider(ResourceProvider):
    """Does nothing, at once: only the layout is measured."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(id_=props["name"], outs=props)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        return DiffResult(changes={k: v for k, v in _olds.items() if k != "__provider"} != _news)


class Endpoint(Resource):
    """A BMC, or what else answers on the out-of-band network."""

    def __init__(self, name: str, props: dict[str, Any]) -> None:
        super().__init__(EndpointProvider(), name, props)


for endpoint in json.loads(Path(os.environ["NAIVE_ENDPOINTS"]).read_text()):
    Endpoint(endpoint["name"], endpoint)
pulumi.export("count", len(json.loads(Path(os.environ["NAIVE_ENDPOINTS"]).read_text())))
