"""How a new version of a service takes over, step by step, or is taken back.

Owns the decision. What stands in the cluster goes in, one step comes out: whoever carries it out looks again and asks
again, so a run that was killed goes on where it was. Nothing is remembered but what stands in the cluster: the shares
of the route, the track that is live, the version of each track, a version that was taken back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from components.plan.tenants import ServicePlan
from components.spec.rollout import Rollout, Strategy
from components.spec.service import Kind

ALL = 100
"""Share of all requests, %."""
START_LIMIT_S = 600
"""Seconds that a new version may take until a replica of it is ready."""
STEADY_S = 10
"""Seconds that the first replica of a new version must have been ready, without a restart, before requests."""
FATAL_WAITS = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError", "CrashLoopBackOff")
"""What the kubelet says of a container that will not start by waiting."""
LEAST_ANSWERS = 10
"""Answers of a canary that are enough to judge it by before its share has been watched for the whole pause. At the end
of the pause whatever there is counts: a version that mostly fails must not be promoted because few asked for it."""


class Track(StrEnum):
    """One of the two places of a service's versions: one answers, the other is asleep or being tried."""

    A = "a"
    B = "b"

    @property
    def other(self) -> Track:
        """The one beside it."""
        return Track.B if self is Track.A else Track.A


def first_weights() -> Mapping[Track, int]:
    """Shares of a service that is new: its first version stands on both tracks, and one answers."""
    return {Track.A: ALL, Track.B: 0}


STAGED = frozenset({Strategy.CANARY, Strategy.BLUE_GREEN})
"""Strategies with two versions at a time."""


def is_staged(plan: ServicePlan) -> bool:
    """Whether a service has two tracks. What gets no requests cannot be given a share of them, and is rolled."""
    return plan.kind is Kind.WEB and plan.rollout.strategy in STAGED


def route_name(plan: ServicePlan) -> str:
    """Name of a service's route in its namespace."""
    return f"{plan.name}-shares" if is_staged(plan) else plan.name


def object_names(plan: ServicePlan) -> tuple[str, ...]:
    """Names of a service's Deployment, of what scales it and of its route in the interceptor; of each of its tracks."""
    return tuple(f"{plan.name}-{track}" for track in Track) if is_staged(plan) else (plan.name,)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What stands in the cluster of one service with two tracks."""

    live: Track
    versions: Mapping[Track, str]
    """Track -> version of its pods."""
    share: int
    """Of the requests that go to the track that is not live, %."""
    share_since_s: float | None = None
    """Seconds since the share was set; None if that is not known, which counts as just now."""
    taken_back: str = ""
    """Version that was taken back: it is not tried again."""
    awake: bool = False
    """Whether the new version is held awake for the rollout."""
    ready_s: float | None = None
    """Seconds since its first replica is ready without having been restarted; None while none is."""
    starting_s: float = 0.0
    """Seconds since it is held awake."""
    waits: tuple[str, ...] = ()
    """What the kubelet says of its containers that do not run."""
    answers: float = 0.0
    """Of the new version since the share was set."""
    errors: float = 0.0
    """Of these, with status 5xx."""

    @property
    def new(self) -> str:
        """Version of the track that is not live."""
        return self.versions.get(self.live.other, "")


class Do(StrEnum):
    """What is to be done next."""

    NOTHING = "nothing"
    WAIT = "wait"
    HOLD_AWAKE = "hold awake"
    """Start one replica of the new version, without requests."""
    SHARE = "share"
    """Give the new version a share of the requests."""
    PROMOTE = "promote"
    """The new version is live from now on, and gets all requests."""
    TAKE_BACK = "take back"
    """All requests to the live version; the new one is not tried again."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step, and why."""

    do: Do
    why: str
    share: int = 0
    """Of the new version from then on, %."""

    @property
    def is_last(self) -> bool:
        """Whether the rollout is over once it is done."""
        return self.do in (Do.NOTHING, Do.PROMOTE, Do.TAKE_BACK)


def decide(wanted: str, rollout: Rollout, seen: Standing) -> Step:
    """The next step from what stands to the version that the description asks for."""
    if seen.versions.get(seen.live) == wanted:
        if seen.share or seen.awake:
            return Step(do=Do.TAKE_BACK, why=f"{wanted} is asked for, which is live")
        return Step(do=Do.NOTHING, why=f"{wanted} is live")
    if seen.new != wanted:
        return Step(do=Do.WAIT, why=f"{wanted} is not in the cluster yet")
    if seen.taken_back == wanted:
        if seen.share or seen.awake:
            return Step(do=Do.TAKE_BACK, why=f"{wanted} was taken back before")
        return Step(do=Do.NOTHING, why=f"{wanted} was taken back; describe another version")
    if seen.share and (bad := _fault(rollout, seen)):
        return Step(do=Do.TAKE_BACK, why=bad)
    return _next_share(rollout, seen) if seen.share else _first_share(rollout, seen)


def _first_share(rollout: Rollout, seen: Standing) -> Step:
    """From a version without requests: it must be seen to run first."""
    if not seen.awake:
        return Step(do=Do.HOLD_AWAKE, why="a replica must run before it gets requests")
    fatal = [wait for wait in seen.waits if wait in FATAL_WAITS]
    if fatal:
        return Step(do=Do.TAKE_BACK, why=f"it does not start: {fatal[0]}")
    if seen.ready_s is None:
        if seen.starting_s > START_LIMIT_S:
            return Step(do=Do.TAKE_BACK, why=f"no replica was ready within {START_LIMIT_S} s")
        return Step(do=Do.WAIT, why="no replica is ready yet")
    if seen.ready_s < STEADY_S:
        return Step(do=Do.WAIT, why=f"ready for {seen.ready_s:.0f} of {STEADY_S} s")
    return _to(shares(rollout)[0])


def _next_share(rollout: Rollout, seen: Standing) -> Step:
    """From a share that has been watched for long enough, to the next. All of them, of a version that is not live, is a
    promotion that was cut off."""
    watched_s = seen.share_since_s or 0.0
    if seen.share < ALL and watched_s < rollout.pause_s:
        return Step(do=Do.WAIT, why=f"{seen.share} % watched for {watched_s:.0f} of {rollout.pause_s} s")
    return _to(next((share for share in shares(rollout) if share > seen.share), ALL))


def _to(share: int) -> Step:
    if share >= ALL:
        return Step(do=Do.PROMOTE, why="it runs, and nothing speaks against it", share=ALL)
    return Step(do=Do.SHARE, why=f"{share} % of the requests", share=share)


def shares(rollout: Rollout) -> tuple[int, ...]:
    """Shares that a new version gets, one after the other; the last is all."""
    if rollout.strategy is Strategy.BLUE_GREEN:
        return (ALL,)
    return (*sorted(weight for weight in rollout.weights if weight < ALL), ALL)


def _fault(rollout: Rollout, seen: Standing) -> str:
    """What is wrong with a version that answers, or nothing."""
    fatal = [wait for wait in seen.waits if wait in FATAL_WAITS]
    if fatal:
        return f"it stopped running: {fatal[0]}"
    is_watched = (seen.share_since_s or 0.0) >= rollout.pause_s
    if not seen.answers or (seen.answers < LEAST_ANSWERS and not is_watched):
        return ""
    percent = 100 * seen.errors / seen.answers
    if seen.errors and percent >= rollout.max_error_percent:
        return f"{percent:.1f} % of its answers were errors, the limit is {rollout.max_error_percent} %"
    return ""
