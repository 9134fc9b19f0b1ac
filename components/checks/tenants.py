"""Whether tenants are kept apart as the plan says. Read-only.

Pure judgements of objects, and the readers that fetch them: policies and rights of the cluster layer, queues and
places at the gateway of the runtime layer. That the rules hold is tried by tests/e2e/test_story_3_isolation_*.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from components.checks.judge import condition, judged, name_of
from components.checks.result import CheckResult
from components.clients.kubernetes import Kubernetes, Object
from components.clients.secrets import resolve
from components.clients.tls import CertificateError, verified_certificate
from components.plan.model import RegionPlan
from components.plan.serving import GATEWAY_NAMESPACE
from components.plan.tenancy.gateway import ENVOY_API, GATEWAY_API, domains, listener_set_name
from components.plan.tenancy.network import endpoints, policies, tenant_ports
from components.plan.tenancy.queues import API as KUEUE_API
from components.plan.tenancy.queues import cluster_queue_spec, gpu_pools, shares
from components.plan.tenancy.rights import binding, binding_name
from components.plan.tenants import TenantPlan
from components.spec.tenant import PersonRole

GUIDE = "docs/guides/tenants.md"
CLUSTER_REMEDY = f"`region up <region> --layer cluster` restores it; see {GUIDE}"
RUNTIME_REMEDY = f"`region up <region> --layer runtime` restores it; see {GUIDE}"
HTTPS = 443


async def check_tenant_bounds(plan: RegionPlan, api: Kubernetes) -> list[CheckResult]:
    """Network policies and rights in each tenant's namespace. Raises KubernetesError."""
    results: list[CheckResult] = []
    for tenant in plan.cluster.tenants:
        found, bindings = await asyncio.gather(
            api.items(f"/apis/networking.k8s.io/v1/namespaces/{tenant.namespace}/networkpolicies"),
            api.items(f"/apis/rbac.authorization.k8s.io/v1/namespaces/{tenant.namespace}/rolebindings"),
        )
        results += [check_network(plan, tenant, found), check_rights(tenant, bindings)]
    return results


async def check_tenant_access(plan: RegionPlan, project: Path, api: Kubernetes) -> list[CheckResult]:
    """Each tenant's queue, and its place at the gateway with its certificate. Raises KubernetesError, SecretError."""
    given = shares(plan.cluster.tenants, gpu_pools(plan))
    results: list[CheckResult] = []
    for tenant in plan.cluster.tenants:
        name = listener_set_name(tenant.name)
        place = f"/apis/{ENVOY_API}/namespaces/{GATEWAY_NAMESPACE}"
        queue, listeners, keys, rate, certificates = await asyncio.gather(
            api.find(f"/apis/{KUEUE_API}/clusterqueues/{tenant.namespace}"),
            api.find(f"/apis/{GATEWAY_API}/namespaces/{GATEWAY_NAMESPACE}/listenersets/{name}"),
            api.find(f"{place}/securitypolicies/{name}"),
            api.find(f"{place}/backendtrafficpolicies/{name}"),
            asyncio.gather(*(check_certificate(plan, project, tenant, ending) for ending in domains(tenant))),
        )
        results += [
            check_queue(plan, tenant, given[tenant.name], queue),
            check_door(tenant, listeners, keys, rate),
            *certificates,
        ]
    return results


def check_network(plan: RegionPlan, tenant: TenantPlan, found: Sequence[Object]) -> CheckResult:
    """The planned policies are there as planned, and nobody added one: each adds permissions."""
    planned = policies(tenant_ports(plan, tenant), endpoints(plan))
    specs = {name_of(policy): cast("Mapping[str, Any]", policy["spec"]) for policy in found}
    wrong = list(_differences(planned, specs))
    return judged(
        f"cluster.tenant.{tenant.name}.network",
        good=not wrong,
        expected=f"policies {', '.join(sorted(planned))}, and no other",
        found="; ".join(wrong) or "all as planned",
        remedy=f"{CLUSTER_REMEDY}; `kubectl -n {tenant.namespace} get networkpolicies`",
    )


def _differences(planned: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(planned.keys() | found.keys()):
        if name not in found:
            yield f"{name} is missing"
        elif name not in planned:
            yield f"{name} is nobody's"
        elif not holds(planned[name], found[name]) or _opens(planned[name], found[name]):
            yield f"{name} is not as planned"


def _opens(planned: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Whether there are more rules than planned."""
    return any(len(found.get(way) or ()) > len(planned.get(way) or ()) for way in ("ingress", "egress"))


def holds(planned: Any, found: Any) -> bool:
    """Whether all that is planned is found; the API server adds defaults."""
    if isinstance(planned, dict):
        fields = cast("dict[str, Any]", planned)
        there: dict[str, Any] = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
        return all(
            (not value and not there.get(key)) or (key in there and holds(value, there[key]))
            for key, value in fields.items()
        )
    if isinstance(planned, list):
        items = cast("list[Any]", planned)
        others = cast("list[Any]", found) if isinstance(found, list) else []
        return len(items) == len(others) and all(map(holds, items, others))
    return planned == found


def check_rights(tenant: TenantPlan, bindings: Sequence[Object]) -> CheckResult:
    """Who has rights in the namespace is who stands in the tenant's file, with the roles that stand there."""
    planned = {
        (str(binding(tenant, role)["role_ref"]["name"]), str(person.name))
        for role in PersonRole
        if binding_name(tenant, role)
        for person in tenant.people
        if person.role is role
    }
    found = {
        (str(bound["roleRef"]["name"]), str(subject["name"]))
        for bound in bindings
        for subject in cast("Sequence[Mapping[str, Any]]", bound.get("subjects") or ())
    }
    wrong = [f"{name} lacks {role}" for role, name in sorted(planned - found)]
    wrong += [f"{name} has {role}" for role, name in sorted(found - planned)]
    return judged(
        f"cluster.tenant.{tenant.name}.rights",
        good=not wrong,
        expected=f"rights of {len(planned)} people, and of nobody else",
        found="; ".join(wrong) or "as planned",
        remedy=f"{CLUSTER_REMEDY}; rights that an admin gave belong into the tenant's file, or are taken back by hand",
    )


def check_queue(
    plan: RegionPlan, tenant: TenantPlan, share: Mapping[str, int], queue: Mapping[str, Any] | None
) -> CheckResult:
    """The tenant's ClusterQueue admits jobs, with what is promised."""
    is_active, words = condition(queue, "Active")
    is_planned = holds(cluster_queue_spec(tenant, share, plan.cluster.name), (queue or {}).get("spec"))
    return judged(
        f"runtime.tenant.{tenant.name}.queue",
        good=is_active and is_planned,
        expected=f"ClusterQueue {tenant.namespace} active, with {tenant.gpus} GPUs and {tenant.borrow_gpus} to borrow",
        found=f"{'active' if is_active else words}, {'as planned' if is_planned else 'not as planned'}",
        remedy=RUNTIME_REMEDY,
    )


def check_door(
    tenant: TenantPlan,
    listeners: Mapping[str, Any] | None,
    keys: Mapping[str, Any] | None,
    rate: Mapping[str, Any] | None,
) -> CheckResult:
    """The tenant's listeners are programmed, and guarded by its keys and its rate where it has them."""
    words = {
        "listeners": condition(listeners, "Programmed"),
        **({"keys": _accepted(keys)} if tenant.keys else {}),
        **({"rate": _accepted(rate)} if tenant.rate_limit_rps is not None else {}),
    }
    wrong = [f"{name}: {text}" for name, (is_good, text) in words.items() if not is_good]
    if not tenant.keys and keys is not None:
        wrong.append("keys: asked for, though the tenant has none")
    return judged(
        f"runtime.tenant.{tenant.name}.gateway",
        good=not wrong,
        expected=f"{' and '.join(words)} in force for {', '.join(f'*.{each}' for each in domains(tenant).values())}",
        found="; ".join(wrong) or "in force",
        remedy=f"{RUNTIME_REMEDY}; `kubectl -n {GATEWAY_NAMESPACE} describe listenerset {tenant.name}`",
    )


async def check_certificate(plan: RegionPlan, project: Path, tenant: TenantPlan, ending: str = "") -> CheckResult:
    """The gateway shows a certificate of the region's authority for the tenant's names below one of its domains.

    Raises SecretError.
    """
    name, vip = f"check.{domains(tenant)[ending]}", plan.runtime.gateway_vip
    ca = resolve(project, plan.endpoints.ca_certificate, private=False)
    try:
        shown = await verified_certificate(vip, HTTPS, ca, name=name)
        is_good, found = True, f"issued by {shown.issuer}, valid until {shown.not_after}"
    except CertificateError as error:
        is_good, found = False, str(error.problems[0].found)
    return judged(
        f"runtime.tenant.{tenant.name}.certificate{ending}",
        good=is_good,
        expected=f"{vip}:{HTTPS} shows a certificate for {name} from the region's authority",
        found=found,
        remedy=f"{RUNTIME_REMEDY}; a certificate close to its end is issued anew",
    )


def _accepted(policy: Mapping[str, Any] | None) -> tuple[bool, str]:
    """A policy of Envoy Gateway tells its conditions for each thing that it is attached to."""
    if policy is None:
        return False, "not there"
    ancestors = cast("list[Mapping[str, Any]]", policy.get("status", {}).get("ancestors") or [])
    if not ancestors:
        return False, "nobody has looked at it"
    return condition({"status": ancestors[0]}, "Accepted")
