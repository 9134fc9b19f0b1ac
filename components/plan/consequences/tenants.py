"""What tenants and the callers of services notice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields

from components.plan.consequences.hosts import HostChange, gpus_away, gpus_in_service
from components.plan.consequences.impact import ServiceEffect, TenantEffect
from components.plan.model import RegionPlan
from components.plan.tenants import ScalingPlan, ServicePlan, TenantPlan

_RESTARTING = (
    "namespace",
    "image",
    "args",
    "ports",
    "env",
    "secrets",
    "bucket_key",
    "health",
    "cpu",
    "memory_mib",
    "gpus",
    "gpu_pools",
    "volumes",
    "job",
)
"""Fields of a service that stand in its pods."""
_LIVE = (
    "host",
    "steered_host",
    "min_replicas",
    "max_replicas",
    "idle_after_s",
    "rollout",
    "has_keys",
    "rate_limit_rps",
)
"""Fields that its running pods do not have."""
_TARGETS = tuple(field.name for field in fields(ScalingPlan))


def tenant_effects(old: RegionPlan | None, new: RegionPlan, change: HostChange) -> tuple[TenantEffect, ...]:
    """Of each namespace that changes, or whose cluster loses GPUs for a while; those that go first."""
    return tuple(sorted(_tenants(old, new, change), key=lambda t: (not t.change.startswith("gone"), t.namespace)))


def _tenants(old: RegionPlan | None, new: RegionPlan, change: HostChange) -> Iterator[TenantEffect]:
    before = {t.namespace: t for t in old.cluster.tenants} if old else {}
    after = {t.namespace: t for t in new.cluster.tenants}
    gpus, away = gpus_in_service(old), gpus_away(change, old)
    promised = sum(n.gpus for n in after.values())
    for name in sorted({*before, *after}):
        text = _namespace_change(before.get(name), after.get(name))
        is_hit = away > 0 and name in before
        if text or is_hit:
            yield TenantEffect(
                namespace=name,
                change=text,
                quota_gpus=(after.get(name) or before[name]).gpus,
                share_lost=_share(away, gpus) if is_hit else 0.0,
                gpus_left=gpus - away,
                is_short=is_hit and promised > gpus - away,
            )


def _namespace_change(old: TenantPlan | None, new: TenantPlan | None) -> str:
    if new is None:
        return (
            "gone: all that runs in it ends, and what is stored in it is lost; its bucket goes if it is empty, and else "
            "stays as the operator's"
        )
    if old is None:
        return f"new, with a quota of {new.pods} pods and {new.gpus} GPUs"
    parts = [
        f"quota of {what} changes from {was} to {becomes}"
        for what, was, becomes in (("pods", old.pods, new.pods), ("GPUs", old.gpus, new.gpus))
        if was != becomes
    ]
    if old.bucket_key != new.bucket_key:
        parts.append("its bucket gets another key, and the old one is refused")
    return "; ".join(parts)


def service_effects(old: RegionPlan | None, new: RegionPlan, change: HostChange) -> tuple[ServiceEffect, ...]:
    """Of each service that changes, or that has fewer GPUs for a while."""
    before = {s.key: s for s in old.runtime.services} if old else {}
    after = {s.key: s for s in new.runtime.services}
    gpus, away = gpus_in_service(old), gpus_away(change, old)
    effects = (_service(before.get(name), after.get(name), gpus, away) for name in sorted({*before, *after}))
    return tuple(sorted((e for e in effects if e.change or e.share_lost), key=lambda e: (not e.restarts, e.service)))


def _service(old: ServicePlan | None, new: ServicePlan | None, gpus: int, away: int) -> ServiceEffect:
    service = new or old
    assert service is not None  # noqa: S101 - the caller has the name from one of both
    is_hit = old is not None and old.gpus > 0 and away > 0
    before = _replicas(old, gpus) if old else 0
    during = _replicas(old, gpus - away) if old else 0
    differing = _differences(old, new, _RESTARTING) if old and new else []
    live = _differences(old, new, _LIVE) if old and new else []
    live += list(_changes(old.scaling, new.scaling, _TARGETS)) if old and new else []
    change = "new" if old is None else "gone" if new is None else "; ".join([*differing, *live])
    return ServiceEffect(
        service=service.name,
        namespace=service.namespace,
        change=change,
        restarts=old is not None and (new is None or bool(differing)),
        gpus=service.gpus,
        replicas_before=before,
        replicas_during=during,
        share_lost=_share(away, gpus) if is_hit else 0.0,
        is_below_min=is_hit and old is not None and during < old.min_replicas,
        lands=new.gpu.why if new and new.gpu and change else "",
    )


def _replicas(service: ServicePlan, gpus: int) -> int:
    """That could run if nobody else did."""
    return min(service.max_replicas, gpus // service.gpus) if service.gpus else service.max_replicas


def _differences(old: ServicePlan, new: ServicePlan, names: tuple[str, ...]) -> list[str]:
    return list(_changes(old, new, names))


def _changes(old: object, new: object, names: Iterable[str]) -> Iterator[str]:
    for field in names:
        was, becomes = getattr(old, field), getattr(new, field)
        if was != becomes:
            yield f"{field.replace('_', ' ')} changes from {_short(was)} to {_short(becomes)}"


def _short(value: object) -> str:
    """Digests are long; their beginning tells them apart."""
    text = str(value)
    name, mark, digest = text.partition("@sha256:")
    return f"{name}@{digest[:12]}" if mark else text


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
