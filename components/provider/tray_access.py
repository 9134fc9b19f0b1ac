"""Ironic's access to a tray's BMC, and how a change of it is noticed.

Owns the node's `driver_info` and its digest, which is kept at the node, in `extra`. Ironic gives a password back
masked, and its `validate` asks whether there is one, not whether the BMC takes it; so what was given is known again
by a digest. It is keyed with the operator's SSH key: who may read nodes learns nothing from it and cannot try
passwords against it. Another operator's key gives another digest, which costs one update of the node.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from components.clients.bmc.access import tray_credentials
from components.clients.ironic_model import Node
from components.clients.secrets import Credentials, resolve
from components.provider.handler import Context
from components.provider.rack_inputs import RackInputs, Tray

ACCESS = "gpuregion_access"
"""Key in the node's extra."""
LOST = "power failure"
"""Ironic's `fault` of a node whose BMC it no longer reaches, or that no longer lets it in."""


def driver_info(tray: Tray, bmc: Credentials) -> dict[str, Any]:
    """How Ironic reaches the BMC."""
    parts = urlsplit(tray.bmc_url)
    return {
        "redfish_address": f"{parts.scheme}://{parts.netloc}",
        "redfish_username": bmc.username,
        "redfish_password": bmc.password,
        # The hardware locks accounts after a few wrong tries; sessions are one more thing to run out of.
        "redfish_auth_type": "basic",
        # Verified, by the CA that the conductor is configured with: a path here would be one of its disk.
        "redfish_verify_ca": True,
    }


def access_digests(rack: RackInputs, context: Context) -> dict[str, str]:
    """Tray -> digest of the access that the references hold by now. Raises SecretError."""
    bmcs, key = bmc_logins(rack, context), resolve(context.project, rack.ssh_key)
    return {name: access_digest(driver_info(tray, bmcs[name]), key) for name, tray in rack.trays.items()}


def bmc_logins(rack: RackInputs, context: Context) -> Mapping[str, Credentials]:
    """Tray -> login of its BMC. Raises SecretError."""
    return tray_credentials(context.project, rack.bmc_credentials, rack.rack, rack.trays)


def access_digest(info: Mapping[str, Any], key: str) -> str:
    """Digest of a `driver_info`."""
    return hmac.new(key.encode(), json.dumps(info, sort_keys=True).encode(), hashlib.sha256).hexdigest()


def needs_access(node: Node, digest: str) -> bool:
    """Whether Ironic should be given access anew, by what the node shows.

    A node that an older version enrolled has no digest and is taken to be right; it gets one when it is next
    worked on.
    """
    return node.fault == LOST or node.extra.get(ACCESS, digest) != digest
