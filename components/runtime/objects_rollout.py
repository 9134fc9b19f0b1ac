"""What stands of a rollout in the cluster, read from its objects; and what a step changes in them.

Pure: objects as the API tells them in, patches out. stacks/rollout.py reads and writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from components.plan.rollout import ALL, Do, Standing, Step, Track
from components.plan.rollout_labels import HELD_SINCE, LIVE, SINCE, TAKEN_BACK, VERSION_LABEL
from components.plan.serving import PAUSED_REPLICAS
from components.plan.tenants import ServicePlan
from components.runtime.objects_pods import version_of
from components.runtime.objects_routes import TRACK_HEADER, route_spec

Object = Mapping[str, Any]

NEARLY_ALL, NEARLY_NONE = 999_999, 1
"""Weights of a track that is about to come or go. Envoy Gateway forgets a backend of weight 0, and its two messages to
Envoy, on backends and on routes, do not come at one time: in between the route names a backend that is not there, which is
answered with 500 (1.9, internal/xds/translator/route.go). So a track comes and goes while next to nothing is sent there."""


@dataclass(frozen=True, kw_only=True)
class Patch:
    """A change of one object, as a JSON merge patch."""

    path: str
    annotations: dict[str, str | None]
    """Those that are None are removed."""
    spec: Mapping[str, Any] = field(default_factory=dict[str, Any])
    stands_looks: int = 0
    """Looks at the cluster that pass before what follows, for the gateways to take it over."""


def route_path(plan: ServicePlan, name: str) -> str:
    """Where the API has a route."""
    return f"/apis/gateway.networking.k8s.io/v1/namespaces/{plan.namespace}/httproutes/{name}"


def scaled_path(plan: ServicePlan, track: Track) -> str:
    """Where the API has what scales a track."""
    return f"/apis/keda.sh/v1alpha1/namespaces/{plan.namespace}/scaledobjects/{plan.name}-{track}"


def deployment_path(plan: ServicePlan, track: Track) -> str:
    """Where the API has a track's Deployment."""
    return f"/apis/apps/v1/namespaces/{plan.namespace}/deployments/{plan.name}-{track}"


def live_track(route: Object) -> Track:
    """The track that answers."""
    return Track(annotations_of(route).get(LIVE, Track.A))


def tracks_to_leave(plan: ServicePlan, route: Object | None, deployments: Mapping[Track, Object]) -> frozenset[Track]:
    """Tracks whose pods stay as they stand: the one that answers; both once it is the version described, so that a
    second run changes nothing."""
    if route is None:
        return frozenset()
    live = live_track(route)
    if version_in(deployments.get(live)) == version_of(plan):
        return frozenset(track for track in Track if track in deployments)
    return frozenset({live}) if live in deployments else frozenset()


def standing(
    *,
    route: Object,
    deployments: Mapping[Track, Object],
    scaled: Object | None,
    pods: Sequence[Object],
    answers: tuple[float, float],
    now_s: float,
) -> Standing:
    """`scaled` and `pods` are of the track that does not answer; `answers` are its answers and its errors."""
    live = live_track(route)
    told = annotations_of(route)
    held = PAUSED_REPLICAS in annotations_of(scaled or {})
    return Standing(
        live=live,
        versions={track: version_in(deployment) for track, deployment in deployments.items()},
        share=_share(route, live.other),
        share_since_s=seconds_since(told.get(SINCE), now_s),
        taken_back=told.get(TAKEN_BACK, ""),
        awake=held,
        ready_s=_ready_s(pods, now_s),
        starting_s=(seconds_since(told.get(HELD_SINCE), now_s) or 0.0) if held else 0.0,
        waits=waits_of(pods),
        answers=answers[0],
        errors=answers[1],
    )


def patches(plan: ServicePlan, route: Object, seen: Standing, step: Step, now_s: float) -> list[Patch]:
    """What a step changes, in this order. A run that is killed between two of them finds the step undone."""
    new, at = seen.live.other, route_path(plan, str(route["metadata"]["name"]))
    release = Patch(path=scaled_path(plan, new), annotations={PAUSED_REPLICAS: None})
    match step.do:
        case Do.HOLD_AWAKE:
            since = Patch(path=at, annotations={HELD_SINCE: f"{now_s:.0f}"})
            hold = Patch(path=scaled_path(plan, new), annotations={PAUSED_REPLICAS: "1"})
            return [since, hold]
        case Do.SHARE:
            told: dict[str, str | None] = {SINCE: f"{now_s:.0f}"}
            return [*_to_share(plan, at, seen, step.share, told), release]
        case Do.PROMOTE:
            told = {SINCE: f"{now_s:.0f}", LIVE: new.value, HELD_SINCE: None, TAKEN_BACK: None}
            *before, last = _to_share(plan, at, seen, ALL, told)
            return [*before, release, last]  # after the last, nobody would know that it was held for a rollout
        case Do.TAKE_BACK:
            is_bad = seen.new != seen.versions.get(seen.live)
            verdict = Patch(path=at, annotations={TAKEN_BACK: seen.new if is_bad else None})
            told = {SINCE: f"{now_s:.0f}", HELD_SINCE: None}
            return [verdict, *_to_share(plan, at, seen, 0, told), release]
        case Do.NOTHING | Do.WAIT:
            return []


def least_replicas(plan: ServicePlan, track: Track, scaled: Object | None, *, is_live: bool) -> list[Patch]:
    """What sets the least number of replicas of a track, if it is another."""
    least = plan.min_replicas if is_live else 0
    if scaled is None or scaled.get("spec", {}).get("minReplicaCount") == least:
        return []
    return [Patch(path=scaled_path(plan, track), annotations={}, spec={"minReplicaCount": least})]


def answers_query(plan: ServicePlan, track: Track, seconds: float, codes: str) -> str:
    """Answers of a track in the last seconds, by status."""
    of = f'route_namespace="{plan.namespace}",route_name="{plan.name}-{track}",code=~"{codes}"'
    return f"sum(increase(interceptor_request_count_total{{{of}}}[{max(seconds, 1):.0f}s]))"


def figure(answer: Object) -> float:
    """The one figure of an answer of the region's metrics; 0 where there is none."""
    results = cast("Sequence[Mapping[str, Any]]", answer.get("data", {}).get("result") or ())
    return float(results[0]["value"][1]) if results else 0.0


def _to_share(plan: ServicePlan, at: str, seen: Standing, share: int, told: Mapping[str, str | None]) -> list[Patch]:
    """The weights that lead to a share of the new version; what is told of it comes with the last."""
    live, new = seen.live, seen.live.other
    comes, leaves = {live: NEARLY_ALL, new: NEARLY_NONE}, {live: NEARLY_NONE, new: NEARLY_ALL}
    passed: list[Mapping[Track, int]] = []
    if bool(seen.share) is not bool(share):
        passed.append(comes)
    if share == ALL:
        passed.append(leaves)
    since = {SINCE: told[SINCE]}
    before = [Patch(path=at, annotations=since, spec=_shared(plan, each), stands_looks=2) for each in passed]
    return [*before, Patch(path=at, annotations=dict(told), spec=_shared(plan, {live: ALL - share, new: share}))]


def _shared(plan: ServicePlan, weights: Mapping[Track, int]) -> dict[str, Any]:
    return {"rules": route_spec(plan, "", "", {track: weights[track] for track in Track})["rules"]}


def annotations_of(thing: Object) -> Mapping[str, str]:
    """Annotations of an object; none of one that has none."""
    return cast("Mapping[str, str]", thing.get("metadata", {}).get("annotations") or {})


def version_in(deployment: Object | None) -> str:
    """Version of the pods that a Deployment makes; empty if it does not say."""
    if deployment is None:
        return ""
    return str(deployment["spec"]["template"]["metadata"]["labels"].get(VERSION_LABEL, ""))


def _share(route: Object, track: Track) -> int:
    """Of all requests, %; 1 of a track that just comes or goes."""
    weights = dict.fromkeys(Track, 0)
    for rule in route["spec"]["rules"]:
        for backend in rule.get("backendRefs") or ():
            for change in backend.get("filters") or ():
                for header in change.get("requestHeaderModifier", {}).get("set") or ():
                    if header["name"] == TRACK_HEADER:
                        weights[Track(header["value"])] = int(backend.get("weight", 1))
    return max(round(ALL * weights[track] / sum(weights.values())), 1) if weights[track] else 0


def seconds_since(moment: str | None, now_s: float) -> float | None:
    """Seconds since a moment of Unix time that was written down; None if none was."""
    return None if moment is None else max(now_s - float(moment), 0.0)


def _containers(pod: Object) -> Sequence[Mapping[str, Any]]:
    return cast("Sequence[Mapping[str, Any]]", pod.get("status", {}).get("containerStatuses") or ())


def _ready_s(pods: Sequence[Object], now_s: float) -> float | None:
    """Since when the steadiest pod is ready; none that was restarted counts."""
    since = [
        now_s - datetime.fromisoformat(str(condition["lastTransitionTime"])).astimezone(UTC).timestamp()
        for pod in pods
        if not any(container.get("restartCount") for container in _containers(pod))
        for condition in pod.get("status", {}).get("conditions") or ()
        if condition["type"] == "Ready" and condition["status"] == "True"
    ]
    return max(since, default=None)


def waits_of(pods: Sequence[Object]) -> tuple[str, ...]:
    """What the kubelet says of containers that do not run."""
    found = [
        container.get("state", {}).get("waiting", {}).get("reason", "")
        for pod in pods
        for container in _containers(pod)
    ]
    return tuple(str(reason) for reason in found if reason)
