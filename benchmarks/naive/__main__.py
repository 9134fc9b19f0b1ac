"""One dynamic resource for each BMC-like endpoint of a region: the layout that grows out of a loop over devices.

Reads the endpoints from a file, so that it pays for nothing but its resources.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pulumi
from endpoint import EndpointProvider
from pulumi.dynamic import Resource


class Endpoint(Resource):
    """A BMC, or what else answers on the out-of-band network."""

    def __init__(self, name: str, props: dict[str, Any]) -> None:
        super().__init__(EndpointProvider(), name, props)


for endpoint in json.loads(Path(os.environ["NAIVE_ENDPOINTS"]).read_text()):
    Endpoint(endpoint["name"], endpoint)
pulumi.export("count", len(json.loads(Path(os.environ["NAIVE_ENDPOINTS"]).read_text())))
