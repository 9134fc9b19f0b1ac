"""A host dies without a word: what becomes of calls by an interceptor that has a connection to a pod of it."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc

from components.plan.serving import KEDA_NAMESPACE
from lab import shell
from tests.grpc_echo import Client, Server
from tests.grpc_objects import PORT, TENANT, Object
from tests.policy_stage import Cluster, until

PATIENCE_S = 31
INTERCEPTOR = "keda-add-ons-http-interceptor"


def sysctls(manifest: list[Object]) -> dict[str, str]:
    """Settings of the kernel that the interceptor's pods ask for."""
    return {each["name"]: each["value"] for each in _pod(manifest).get("securityContext", {}).get("sysctls", [])}


def admitted(cluster: Cluster, manifest: list[Object]) -> dict[str, bool]:
    """Whether the API server takes a pod like the interceptor's: the platform's own, a tenant's, and a tenant's that
    leaves the kernel alone."""
    pod = {key: value for key, value in _pod(manifest).items() if key != "serviceAccountName"}
    plain = {**pod, "securityContext": {k: v for k, v in pod["securityContext"].items() if k != "sysctls"}}
    return {
        "platform": _is_taken(cluster, KEDA_NAMESPACE, pod),
        "tenant": _is_taken(cluster, TENANT.namespace, pod),
        "tenant without": _is_taken(cluster, TENANT.namespace, plain),
    }


def _pod(manifest: list[Object]) -> Object:
    found = (m for m in manifest if m["kind"] == "Deployment" and m["metadata"]["name"] == INTERCEPTOR)
    return next(found)["spec"]["template"]["spec"]


def _is_taken(cluster: Cluster, namespace: str, spec: Object) -> bool:
    until(lambda: cluster.ask("-n", namespace, "get", "serviceaccount", "default"))  # every pod has an account
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": namespace}, "spec": spec}
    return cluster.ask("create", "--dry-run=server", "--filename=-", told=pod)


def share(address: str, replicas: list[str]) -> None:
    """Connections to this address go to any of the replicas, as kube-proxy has it."""
    chosen = ", ".join(f"{n} : {replica}" for n, replica in enumerate(replicas))
    chain = "add chain ip proxy out { type nat hook output priority -100; }\n"
    rule = f"add rule ip proxy out ip daddr {address} dnat to numgen random mod {len(replicas)} map {{ {chosen} }}\n"
    shell.run("nft", "-f", "-", stdin=f"add table ip proxy\n{chain}{rule}")


def tried(caller: Client, manifest: list[Object], addresses: list[str]) -> Object:
    """One replica's host dies: first with the settings of the interceptor's pods, then with the kernel's own."""
    pods = {address: Server(f"{address}:{PORT}") for address in addresses}
    for pod in pods.values():
        pod.start()
    own = {name: _setting(name).read_text() for name in sysctls(manifest)}
    found: Object = {}
    for name, values in {"as the role has it": sysctls(manifest), "as the kernel has it": own}.items():
        for setting, value in values.items():  # as the container runtime does in the pod's name space
            _setting(setting).write_text(value)
        found[name] = _until_answered(caller, pods)
    for pod in pods.values():
        pod.stop()
    return found


def _setting(name: str) -> Path:
    return Path("/proc/sys") / name.replace(".", "/")


def _until_answered(caller: Client, pods: Mapping[str, Server]) -> Object:
    """Seconds from the death of the host that has the connection until a call is answered, if any is in time; and codes
    of the calls that were lost."""
    before = {address: pod.answered for address, pod in pods.items()}
    caller.unary(b"before")  # leaves a connection to one of them
    (victim,) = (address for address, pod in pods.items() if pod.answered > before[address])
    began, lost = time.monotonic(), list[str]()
    with _silent(victim):
        while (passed_s := time.monotonic() - began) < PATIENCE_S:
            try:
                caller.unary(b"after", timeout_s=PATIENCE_S - passed_s)
            except grpc.RpcError as error:
                told: Any = error
                lost.append(told.code().name)
                time.sleep(0.2)
            else:
                return {"answered_s": round(time.monotonic() - began, 1), "lost": lost}
    return {"answered_s": None, "lost": lost}


@contextmanager
def _silent(address: str) -> Generator[None]:
    """Packets to and from this address are lost, and nobody is told."""
    rules = "".join(f"add rule ip dead in ip {side} {address} drop\n" for side in ("saddr", "daddr"))
    chain = "add chain ip dead in { type filter hook input priority 0; }\n"
    shell.run("nft", "-f", "-", stdin=f"add table ip dead\n{chain}{rules}")
    try:
        yield
    finally:
        shell.run("nft", "delete", "table", "ip", "dead")
