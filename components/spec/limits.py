"""Limits that come from outside: standards, the Linux kernel, and what upstream supports."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

DNS_LABEL = 63
"""Longest DNS label (RFC 1035); also the longest Kubernetes label value and host name."""

INTERFACE_NAME = 15
"""Longest network interface name on Linux (IFNAMSIZ less the final zero)."""

MIN_MTU = 1280
"""Least MTU that IPv6 allows; BGP sessions run over IPv6 link-local addresses."""

MAX_MTU = 9216
"""Largest frame that the supported switches forward."""

MAX_CLUSTER_NODES = 5000
"""Upstream's limit of nodes in one Kubernetes cluster."""

_EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
_EEA_BESIDE = "IS LI NO"
UNION = frozenset(f"{_EU} {_EEA_BESIDE}".split())
"""Countries of the European Union and of the EEA (ISO 3166-1): the law that EU-only services stay under."""

BACKUP_DISTANCE_KM = 100
"""Least distance of a copy from what it is a copy of: one flood or one blackout may not reach both."""

CONTROL_PLANE_SIZES = (1, 3, 5)
"""etcd needs a majority: an even count adds a machine that can fail and tolerates nothing more."""

CONTAINERD_FOR_KUBERNETES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "1.34": ("2.1", "2.2"),
        "1.35": ("2.2", "2.3"),
        "1.36": ("2.3", "2.4"),
    }
)
"""Kubernetes minor version -> containerd minor versions that this toolkit is tested or meant to run
with. kubelet needs the runtime's CRI of its own time; a pair that nobody runs is found out at night."""
