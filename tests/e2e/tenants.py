"""Tenants that a test makes beside those of the lab, from the bodies that the plan makes, and what attacks them."""

from __future__ import annotations

import base64
import json
import secrets
import ssl
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from components.checks.pod_network import IMAGE, PORT
from components.clients.certificates import issue
from components.plan.model import RegionPlan, TrayRole
from components.plan.serving import GATEWAY_NAMESPACE, TENANT_LABEL
from components.plan.tenancy.bucket import AUTHORITY, AUTHORITY_FILE, AUTHORITY_FOLDER
from components.plan.tenancy.gateway import (
    ENVOY_API,
    GATEWAY_API,
    certificate_names,
    keys_secret_name,
    keys_spec,
    listener_set_spec,
    tls_secret_name,
    traffic_spec,
)
from components.plan.tenancy.network import endpoints, policies
from components.plan.tenancy.queues import API as KUEUE
from components.plan.tenancy.queues import cluster_queue_spec, gpu_pools, local_queue_spec
from components.plan.tenancy.quota import limits_spec, quota_spec
from components.plan.tenants import TenantPlan
from tests.e2e.process import ROOT, run

Object = dict[str, Any]
UNREACHED = ("dial tcp", "deadline exceeded", "Client.Timeout")
"""Words of an attempt that had no connection. Anything else, such as a certificate that the probe does not trust, or
the greeting of an SSH server, came from the other side."""


@dataclass(frozen=True, kw_only=True)
class Rival:
    """A tenant with a pod, its own names at the gateway, and a key."""

    tenant: TenantPlan
    key: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def host(self) -> str:
        """Where its only service is called."""
        return f"echo.{self.tenant.domain}"


def kubectl(*words: str, expect: Sequence[int] = (0,)) -> str:
    """What kubectl says, both ways."""
    done = run("kubectl", *words, expect=expect, timeout_s=120)
    return done.stdout + done.stderr


def read(*words: str) -> Any:
    """Objects as JSON."""
    return json.loads(run("kubectl", "get", *words, "-o", "json").stdout)


def apply(folder: Path, objects: Sequence[Object]) -> None:
    """Declare objects."""
    path = folder / f"{secrets.token_hex(4)}.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))
    kubectl("apply", "-f", str(path))


def attempt(folder: Path, thing: Object, *options: str) -> str:
    """What the API server says to an object that may be refused; empty if it takes it. Nothing is kept of it."""
    path = folder / f"{secrets.token_hex(4)}.json"
    path.write_text(json.dumps(thing))
    done = run("kubectl", "create", "--dry-run=server", "-f", str(path), *options, expect=(0, 1))
    return done.stderr if done.returncode else ""


def namespace(name: str, **labels: str) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def tenant_objects(plan: RegionPlan, rival: Rival) -> list[Object]:
    """All that holds a tenant apart in the cluster, and a pod with a service."""
    tenant, image = rival.tenant, plan.cluster.image(IMAGE).reference
    labels = {TENANT_LABEL: tenant.namespace, "pod-security.kubernetes.io/enforce": "restricted"}
    network = policies((PORT,), endpoints(plan))
    where = tenant.namespace
    return [
        namespace(where, **labels),
        _object("v1", "ResourceQuota", "tenant", where, quota_spec(tenant, plan.cluster.device_class)),
        _object("v1", "LimitRange", "tenant", where, limits_spec()),
        *(_object("networking.k8s.io/v1", "NetworkPolicy", name, where, spec) for name, spec in network.items()),
        _object(
            KUEUE,
            "ClusterQueue",
            where,
            None,
            cluster_queue_spec(tenant, dict.fromkeys(gpu_pools(plan), 0), plan.cluster.name),
        ),
        _object(KUEUE, "LocalQueue", "tenant", where, local_queue_spec(tenant)),
        pod("echo", where, image, [], labels={"part": "echo"}),
        _object(
            "v1",
            "Service",
            "echo",
            where,
            {"selector": {"part": "echo"}, "ports": [{"port": PORT, "targetPort": PORT}]},
        ),
    ]


def door_objects(plan: RegionPlan, rival: Rival) -> list[Object]:
    """A tenant's place at the gateway, and the route to its service."""
    tenant = rival.tenant
    issued = issue(
        ROOT,
        ca_certificate=plan.endpoints.ca_certificate,
        ca_key=plan.endpoints.ca_key,
        names=certificate_names(tenant.domain),
        days=2,
    )
    pair = {"tls.crt": issued.certificate, "tls.key": issued.key}
    parent = {
        "group": "gateway.networking.k8s.io",
        "kind": "ListenerSet",
        "name": tenant.name,
        "namespace": GATEWAY_NAMESPACE,
    }
    return [
        _secret(tls_secret_name(tenant.name), pair, "kubernetes.io/tls"),
        _secret(keys_secret_name(tenant.name), {"tester": rival.key}, "Opaque"),
        _object(ENVOY_API, "SecurityPolicy", tenant.name, GATEWAY_NAMESPACE, keys_spec(tenant)),
        _object(
            GATEWAY_API, "ListenerSet", tenant.name, GATEWAY_NAMESPACE, listener_set_spec(tenant, plan.runtime.gateway)
        ),
        _object(ENVOY_API, "BackendTrafficPolicy", tenant.name, GATEWAY_NAMESPACE, traffic_spec(tenant)),
        route(tenant.name, tenant.namespace, rival.host, parent),
    ]


def route(name: str, where: str, host: str, parent: Mapping[str, Any]) -> Object:
    """A route of a host name to the namespace's own service."""
    spec = {
        "parentRefs": [dict(parent)],
        "hostnames": [host],
        "rules": [{"backendRefs": [{"name": "echo", "port": PORT}]}],
    }
    return _object(GATEWAY_API, "HTTPRoute", name, where, spec)


def pod(name: str, where: str, image: str, arguments: list[str], labels: Mapping[str, str], **spec: Any) -> Object:
    """A pod as tenants may run it; `spec` makes it one that they may not."""
    guarded = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container = {"name": "main", "image": image, "args": arguments, "securityContext": guarded}
    seccomp = {"type": "RuntimeDefault"}
    body = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": seccomp},
        "containers": [container],
        **spec,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": where, "labels": dict(labels)},
        "spec": body,
    }


def authority(plan: RegionPlan, where: str) -> Object:
    """The certificate of the region's authority, where pods that are to trust it find it."""
    text = (ROOT / plan.endpoints.ca_certificate.removeprefix("file:")).read_text()
    metadata = {"name": AUTHORITY, "namespace": where}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {AUTHORITY_FILE: text}}


def trusting(pod: Object) -> Object:
    """The pod, as one that trusts the region's authority; its namespace holds the certificate."""
    (container,) = pod["spec"]["containers"]
    container["env"] = [{"name": "SSL_CERT_FILE", "value": f"{AUTHORITY_FOLDER}/{AUTHORITY_FILE}"}]
    container["volumeMounts"] = [{"name": AUTHORITY, "mountPath": AUTHORITY_FOLDER, "readOnly": True}]
    pod["spec"]["volumes"] = [{"name": AUTHORITY, "configMap": {"name": AUTHORITY}}]
    return pod


def reach(
    folder: Path,
    plan: RegionPlan,
    where: str,
    urls: Sequence[str],
    within_s: float = 150,
    *,
    as_made: Callable[[Object], Object] = lambda pod: pod,
) -> dict[str, str]:
    """URL -> what a pod in that namespace found: `ok`, or an error; two URLs a pod, all pods at once."""
    image = plan.cluster.image(IMAGE).reference
    pairs = [list(urls[n : n + 2]) for n in range(0, len(urls), 2)]
    name = f"attack-{secrets.token_hex(3)}"
    made = [pod(f"{name}-{n}", where, image, ["reach", *pair], {"part": name}) for n, pair in enumerate(pairs)]
    apply(folder, [as_made(each) for each in made])
    deadline = time.monotonic() + within_s
    while True:
        pods = read("-n", where, "pods", "-l", f"part={name}")["items"]
        ended = [p for p in pods if p["status"].get("phase") in ("Succeeded", "Failed")]
        if len(ended) == len(pairs) or time.monotonic() > deadline:
            break
        time.sleep(1)
    kubectl("-n", where, "delete", "pods", "-l", f"part={name}", "--wait=false")
    found: dict[str, str] = {}
    for each in ended:
        message = each["status"]["containerStatuses"][0]["state"]["terminated"].get("message") or "{}"
        found.update(json.loads(message))
    assert set(found) == set(urls), f"pods in {where} did not end: {sorted(set(urls) - set(found))}"
    return found


def reach_from_host(plan: RegionPlan, url: str) -> str:
    """The same from a worker itself, which has a way to the out-of-band network."""
    worker = next(h for h in plan.deployed_hosts if h.role is TrayRole.GPU_WORKER).name
    command = ("curl", "-sk", "--http0.9", "--max-time", "5", "-o", "/dev/null", url)
    done = run("python", "-m", "lab", "exec", worker, *command, expect=range(256))
    unreached = {6: "dial tcp: no such name", 7: "dial tcp: refused", 28: "context deadline exceeded"}
    return unreached.get(done.returncode, f"answered (curl ends with {done.returncode})")


def is_reached(answer: str) -> bool:
    """Whether somebody at the other end answered, in whatever words."""
    return not any(words in answer for words in UNREACHED)


class Client:
    """Calls the gateway as a client of tenants does: with TLS of the region's authority."""

    def __init__(self, plan: RegionPlan) -> None:
        self._vip = plan.runtime.gateway_vip
        ca = (ROOT / plan.endpoints.ca_certificate.removeprefix("file:")).read_text()
        self._http = httpx.Client(
            verify=ssl.create_default_context(cadata=ca),
            timeout=10,
            trust_env=False,
            # a connection belongs to the name that it was opened for: each request opens its own
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def status(self, host: str, key: str | None = None, *, sni: str | None = None, scheme: str = "https") -> int:
        """HTTP status of one request; 0 where there is no connection."""
        headers = {"Host": host} | ({"Authorization": f"Bearer {key}"} if key else {})
        try:
            answer = self._http.get(
                f"{scheme}://{self._vip}/healthz", headers=headers, extensions={"sni_hostname": sni or host}
            )
        except httpx.TransportError:
            return 0
        return answer.status_code

    def close(self) -> None:
        self._http.close()


@contextmanager
def removed(*things: tuple[str, ...]) -> Generator[None]:
    """Removes objects at the end, whatever happens; each is `kind name...`, or with a namespace `-n where kind name`."""
    try:
        yield
    finally:
        for words in things:
            kubectl("delete", "--ignore-not-found", "--wait=false", *words, expect=(0, 1))


def _object(version: str, kind: str, name: str, where: str | None, spec: Mapping[str, Any]) -> Object:
    metadata = {"name": name} | ({"namespace": where} if where else {})
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": dict(spec)}


def _secret(name: str, values: Mapping[str, str], kind: str) -> Object:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": kind,
        "metadata": {"name": name, "namespace": GATEWAY_NAMESPACE},
        "data": data,
    }
