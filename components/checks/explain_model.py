"""What an explanation of a service's state is made from, and what it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from components.plan.tenants import ServicePlan

Object = Mapping[str, Any]
Objects = Sequence[Object]


def within(thing: Object | None, *keys: str) -> Object:
    """A part of an object; empty where it, or what leads to it, is not there."""
    found: Any = thing or {}
    for key in keys:
        found = cast("Object", found).get(key) or {}
    return cast("Object", found)


class Cause(StrEnum):
    """Why a service is as it is. The values are for programs and stay."""

    SERVING = "serving"
    ASLEEP = "asleep"
    STARTING = "starting"
    FINISHED = "finished"
    """A job that has run to its end."""
    QUOTA = "waiting-for-quota"
    NO_DEVICE = "no-device-fits"
    IMAGE = "image-missing"
    WEIGHTS = "weights-missing"
    """The weights of its model do not come, or others than they should be."""
    PROBE = "probe-failing"
    CRASH = "crash-looping"
    CONFIGURATION = "container-refused"
    """The kubelet cannot make the container: mostly a secret that is not there."""
    ROUTE = "route-refused"
    SCALING = "scaling-refused"
    """KEDA does not take its rule for scaling."""
    HELD = "held-by-hand"
    ROLLOUT = "held-by-rollout"
    BUDGET = "held-by-budget"
    NODE = "node-gone"
    ABSENT = "not-there"
    UNKNOWN = "unknown"
    """None of the above; the evidence is what was seen."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the API told of one service, at one time."""

    service: ServicePlan
    now: datetime
    deployment: Object | None = None
    job: Object | None = None
    scaled: Object | None = None
    interceptor: Object | None = None
    route: Object | None = None
    pods: Objects = ()
    events: Objects = ()
    """Of the service's own objects, oldest first."""
    claims: Objects = ()
    """All of the cluster: what others hold is why a device is not free."""
    slices: Objects = ()
    workloads: Objects = ()
    """Kueue's, of the service."""
    quotas: Objects = ()
    """Of the tenant's namespace."""
    nodes: Objects = ()


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """One cause, why it is believed, and what to do."""

    cause: Cause
    says: str
    """One sentence."""
    evidence: tuple[str, ...]
    """What was seen, in the words of the objects."""
    next_step: str
    ready: int
    """Replicas that answer."""
    wanted: int
    """Replicas that should."""

    @property
    def is_well(self) -> bool:
        """Whether nothing needs to be done."""
        return self.cause in (Cause.SERVING, Cause.ASLEEP, Cause.STARTING, Cause.FINISHED)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A cause, before it is known how many replicas it hits."""

    cause: Cause
    says: str
    evidence: tuple[str, ...]
    next_step: str
