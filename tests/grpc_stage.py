"""Calls of gRPC on their whole way to a pod; prints what clients saw, as JSON.

Run as the first process of a place of its own (`lab.joins.namespace.inside`). API server, interceptor with its own
rights and its manifest as the role leaves it, Envoy Gateway, Envoy, and the objects of the service are real. What there
is no kubelet and KEDA for, this program does: it starts the pod and makes its endpoint when a request waits.

    python -m tests.grpc_stage FOLDER
"""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.request
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc

from components.kubernetes.tenant_namespace import POD_SECURITY
from components.plan.serving import KEDA_NAMESPACE
from lab import shell
from lab.joins.control_plane import control_plane
from lab.joins.namespace import ADDRESS
from lab.toolchain.build import ensure
from tests import grpc_dead_host
from tests.gateway_stage import running
from tests.grpc_echo import Client, Server, client
from tests.grpc_objects import PORT, PROXY_PORT, TENANT, Object, add_on, at_the_gateway, declared, services
from tests.policy_stage import Cluster, start, until

STREAMS = 2
"""That the pod takes on a connection."""
PODS = {"echo": ["10.244.1.2"], "web": ["10.244.1.3"], "pair": ["10.244.1.4", "10.244.1.5"]}
"""Service -> addresses of its replicas."""
SHARED = "10.96.0.9"
"""Address of the Service with more than one."""
FRONT = "192.0.2.1"
ADMIN_PORT, METRICS_PORT = 9090, 2223
LARGE = b"x" * (3 << 20)


def populate(cluster: Cluster, manifest: list[Object], of_services: list[dict[str, Object]]) -> None:
    """Kinds, rights, account and Services of the add-on, and the services. Pods are only looked at by the API server."""
    for name, labels in {KEDA_NAMESPACE: {}, TENANT.namespace: POD_SECURITY}.items():
        cluster.make({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    rights = ("ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")
    kinds = ("CustomResourceDefinition", *rights, "Service")
    for kind in kinds:
        for each in manifest:
            if each["kind"] == kind:
                cluster.make(each)
    for made in of_services:
        cluster.make(made["service"])
        cluster.make(made["interceptor"])
        assert cluster.ask("create", "--dry-run=server", "--filename=-", told=made["deployment"]), (
            "its probes are valid"
        )


def wake(cluster: Cluster, name: str) -> None:
    """What a ready pod is to the API server."""
    meta = {"name": name, "namespace": TENANT.namespace, "labels": {"kubernetes.io/service-name": name}}
    cluster.make({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": meta,
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": PORT, "protocol": "TCP"}],
        "endpoints": [{"addresses": [each], "conditions": {"ready": True}} for each in PODS[name]],
    })  # fmt: skip


def connect(folder: Path) -> None:
    """Addresses, and the names by which the interceptor looks for Services."""
    named = {name: address for name, (address, *_) in PODS.items()} | {"pair": SHARED}
    for address in (*(each for addresses in PODS.values() for each in addresses), SHARED, FRONT):
        shell.run("ip", "address", "add", f"{address}/32", "dev", "lo")
    grpc_dead_host.share(SHARED, PODS["pair"])
    hosts = folder / "hosts"
    hosts.write_text("127.0.0.1 localhost\n" + "".join(f"{a} {n}.{TENANT.namespace}\n" for n, a in named.items()))
    shell.run("mount", "--bind", str(hosts), "/etc/hosts")


def start_interceptor(folder: Path, cluster: Cluster, authority: Path) -> Any:
    """The interceptor, with the account that the manifest gives it."""
    account = "keda-add-ons-http-interceptor"
    token = shell.run(*cluster.kubectl, "-n", KEDA_NAMESPACE, "create", "token", account)
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": f"https://{ADDRESS}:6443", "certificate-authority": str(authority)}}],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "c",
    }  # fmt: skip
    (folder / "interceptor.conf").write_text(json.dumps(kubeconfig))
    os.environ |= {
        "KUBECONFIG": str(folder / "interceptor.conf"),
        "KEDA_HTTP_PROXY_PORT": str(PROXY_PORT),
        "KEDA_HTTP_ADMIN_PORT": str(ADMIN_PORT),
        "KEDA_HTTP_LOG_REQUESTS": "true",
        "OTEL_PROM_EXPORTER_PORT": str(METRICS_PORT),
    }
    program = ensure("http-add-on-interceptor")["http-add-on-interceptor"]
    return start(program, log=folder / "interceptor.log")


def waiting(name: str) -> int:
    """Requests in flight of a service, as KEDA's scaler is told."""
    with urllib.request.urlopen(f"http://127.0.0.1:{ADMIN_PORT}/queue", timeout=5) as answer:
        counts: Object = json.load(answer)
    return int(counts.get(f"{TENANT.namespace}/{name}", {}).get("Concurrency", 0))


def attempt(what: Callable[[], Any]) -> Any:
    """What came of it; the words of the error where it failed."""
    try:
        return what()
    except grpc.RpcError as error:
        told: Any = error
        return f"{told.code().name}: {told.details()}"


def calls(caller: Client, pod: Server) -> Object:
    """Each kind of call, to a pod that is there."""
    found: Object = {
        "unary": attempt(lambda: _text(caller.unary(b"hello"))),
        "large": attempt(lambda: caller.unary(LARGE)[0] == LARGE),
        "refused": attempt(caller.refused),
        "chat": attempt(lambda: [each.decode() for each in caller.chat(b"one", b"two", b"three")]),
        "health": attempt(lambda: caller.health().hex()),
    }
    found["open stream"] = attempt(lambda: _open_stream(caller, pod))
    return found


def _text(answer: tuple[bytes, dict[str, str]]) -> Object:
    return {"message": answer[0].decode(), "trailers": answer[1]}


def _open_stream(caller: Client, pod: Server) -> int:
    """Requests that count while a stream is open; until its caller goes away, which the pod hears."""
    with caller.open_chat(goes_away=True) as say:
        say(b"hello")
        counted = waiting("echo")
        assert pod.open
    until(lambda: waiting("echo") == 0 and not pod.open)
    return counted


def connections(caller: Client, pod: Server, streams: int) -> int:
    """Of the interceptor to the pod, while so many streams are open."""
    with _opened(caller, streams) as said:
        assert said == [b"hello"] * streams
        return len(set(pod.open))


@contextmanager
def _opened(caller: Client, streams: int) -> Generator[list[bytes]]:
    if not streams:
        yield []
        return
    with caller.open_chat() as say:
        first = say(b"hello")
        with _opened(caller, streams - 1) as said:
            yield [first, *said]


def first_call(cluster: Cluster, caller: Client, pod: Server) -> Any:
    """A call while nothing runs: it waits, is counted, and so wakes the service."""
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(attempt, lambda: _text(caller.unary(b"wake")))
        until(lambda: waiting("echo") == 1 or answer.done())
        was_held = not answer.done()
        wake(cluster, "echo")  # before the port is open, as it may be with real pods
        pod.start()
        return {"held": was_held, "answer": answer.result()}


def to_interceptor(folder: Path) -> Mapping[str, list[str]]:
    """Versions of HTTP by which the gateway sent the interceptor requests, by their path."""
    found: dict[str, set[str]] = {}
    for path, version in re.findall(r'"[A-Z]+ (/\S*) (HTTP/\S+)"', (folder / "interceptor.log").read_text()):
        found.setdefault(path, set()).add(version)
    return {path: sorted(versions) for path, versions in found.items()}


def tried(cluster: Cluster, folder: Path, interceptor: Any, manifest: list[Object]) -> Object:
    """All that a client sees."""
    pod, found = Server(f"{PODS['echo'][0]}:{PORT}", streams_a_connection=STREAMS), dict[str, Any]()
    host, authority = "echo.demo.lab.internal", (folder / "gateway/ca.crt").read_bytes()
    wake(cluster, "web")
    start(sys.executable, "-m", "http.server", PORT, "--bind", PODS["web"][0], "--directory", folder / "empty")
    until(lambda: _status("web") == 200)
    with client(FRONT, host) as plain, client(FRONT, host, authority) as secured:
        found["asleep"] = first_call(cluster, plain, pod)
        # Before any caller goes away: this server counts such streams for a while.
        found["connections"] = {n: attempt(lambda n=n: connections(plain, pod, n)) for n in (STREAMS, 3 * STREAMS)}
        found["plain"], found["TLS"] = calls(plain, pod), calls(secured, pod)
        found["to the interceptor"] = to_interceptor(folder)
        found["host is dead"] = dead_host(cluster, manifest)
        interceptor.kill()
        interceptor.wait()
        found["interceptor is dead"] = attempt(lambda: _text(plain.unary(b"hello")))
    pod.stop()
    return found


def dead_host(cluster: Cluster, manifest: list[Object]) -> Object:
    """A service with two replicas loses the host of one."""
    wake(cluster, "pair")
    with client(FRONT, f"pair.{TENANT.domain}") as caller:
        return grpc_dead_host.tried(caller, manifest, PODS["pair"])


def _status(name: str) -> int:
    request = urllib.request.Request(f"http://{FRONT}/", headers={"Host": f"{name}.{TENANT.domain}"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310  # http
            return answer.status
    except OSError:
        return 0


def main() -> None:
    """Start all parts and call."""
    folder = Path(sys.argv[1])
    (folder / "add-on").mkdir()
    (folder / "empty").mkdir()
    programs = ensure("etcd", "kube-apiserver", "kube-controller-manager", "kubectl", "kubeadm")
    of_services = [declared(each) for each in services()]
    manifest = add_on(folder / "add-on", programs["kubectl"])
    wanted = at_the_gateway(folder, manifest, of_services)
    connect(folder)
    with control_plane(folder / "cluster", programs, version="v1.36.3") as made, running(None, folder, wanted):
        cluster = Cluster(made)
        populate(cluster, manifest, of_services)
        found = tried(cluster, folder, start_interceptor(folder, cluster, made.authority), manifest)
        found["admitted"] = grpc_dead_host.admitted(cluster, manifest)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
