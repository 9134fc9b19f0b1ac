"""A node on which the enforcer of network policies holds real policies; prints what answered, as JSON.

Run as the first process of a place of its own (`lab.joins.namespace.inside`). API server, etcd, the enforcer and its
image, the policies of tenants and all connections are real. The pods are name spaces that this program makes, with
objects in the API that say so: there is no kubelet.

    python -m tests.policy_stage FOLDER
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from components.plan.models import weights
from components.plan.serving import TENANT_LABEL
from components.plan.tenancy.network import policies
from lab import shell
from lab.images import containers
from lab.joins.control_plane import ControlPlane, control_plane
from lab.joins.namespace import ADDRESS
from lab.toolchain.build import ensure
from tests.regions import lab, plan_of
from tests.role_render import render

PODS = {
    "a": ("tenant-a", "10.244.1.2"),
    "b": ("tenant-b", "10.244.1.3"),
    "interceptor": ("keda", "10.244.1.4"),
    "cache": (weights.NAMESPACE, "10.244.1.5"),
}
LABELS = {"cache": {"app.kubernetes.io/name": weights.APP}}
GATEWAY = "10.9.0.1"
PORT, OTHER_PORT, KUBELET = 80, 81, 10250
(_, _VICTIM), (_, _CACHE) = PODS["b"], PODS["cache"]
TRIES = {
    "another tenant": ("a", _VICTIM, PORT),
    "a platform pod": ("a", PODS["interceptor"][1], PORT),
    "the host's kubelet": ("a", ADDRESS, KUBELET),
    "the API server": ("a", ADDRESS, 6443),
    "the platform to a service": ("interceptor", _VICTIM, PORT),
    "the platform to a port of no service": ("interceptor", _VICTIM, OTHER_PORT),
    "a tenant to a cache of weights": ("a", _CACHE, weights.PORT),
    "another port of a cache": ("a", _CACHE, PORT),
    "the platform to a cache": ("interceptor", _CACHE, weights.PORT),
    "a cache to a tenant": ("cache", _VICTIM, PORT),
    "a cache to the API server": ("cache", ADDRESS, 6443),
}
"""What is tried -> from whom, to which address and port."""
PATIENCE_S = 90
_processes: list[subprocess.Popen[bytes]] = []
_pids: dict[str, int] = {}


def start(*words: object, log: Path | None = None) -> subprocess.Popen[bytes]:
    """Runs until this place ends."""
    out = log.open("wb") if log else subprocess.DEVNULL
    _processes.append(subprocess.Popen([str(word) for word in words], stdout=out, stderr=out))
    return _processes[-1]


def serve(port: int, *prefix: object) -> None:
    start(*prefix, sys.executable, "-m", "http.server", port)


def connect_pod(name: str, address: str) -> None:
    """A name space with one link to the node, as the CNI plugin `ptp` makes it."""
    pid = start("unshare", "--net", "sleep", "3600").pid
    within = ("nsenter", "-t", pid, "-n")
    own = Path("/proc/self/ns/net").readlink()
    until(lambda: Path(f"/proc/{pid}/ns/net").readlink() != own)
    _pids[name] = pid
    for words in (
        ("ip", "link", "add", f"v-{name}", "type", "veth", "peer", "name", "eth0", "netns", pid),
        ("ip", "link", "set", f"v-{name}", "up"),
        ("ip", "address", "add", f"{GATEWAY}/32", "dev", f"v-{name}"),
        ("ip", "route", "add", f"{address}/32", "dev", f"v-{name}"),
        (*within, "ip", "link", "set", "lo", "up"),
        (*within, "ip", "address", "add", f"{address}/32", "dev", "eth0"),
        (*within, "ip", "link", "set", "eth0", "up"),
        (*within, "ip", "route", "add", GATEWAY, "dev", "eth0"),
        (*within, "ip", "route", "add", "default", "via", GATEWAY),
    ):
        shell.run(*(str(word) for word in words))
    for port in (PORT, OTHER_PORT, weights.PORT):
        serve(port, *within)


def answers(name: str, address: str, port: int) -> bool:
    """Whether a connection from this pod comes about."""
    words = [
        "nsenter",
        "-t",
        str(_pids[name]),
        "-n",
        "timeout",
        "3",
        "bash",
        "-c",
        f"exec 3<>/dev/tcp/{address}/{port}",
    ]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {PATIENCE_S} s: {is_so}")
        time.sleep(0.2)


class Cluster:
    """The API server, by kubectl."""

    def __init__(self, made: ControlPlane) -> None:
        self.kubeconfig = made.folder / "etc/kubernetes/super-admin.conf"
        self.kubectl = [str(made.programs["kubectl"]), "--kubeconfig", str(self.kubeconfig)]

    def ask(self, *words: str, told: Mapping[str, Any] | None = None) -> bool:
        text = json.dumps(told) if told else None
        done = subprocess.run([*self.kubectl, *words], input=text, capture_output=True, text=True, check=False)
        return done.returncode == 0

    def make(self, told: Mapping[str, Any]) -> None:
        until(lambda: self.ask("apply", "--filename=-", told=told))

    def say(self, kind: str, name: str, status: Mapping[str, Any], namespace: str = "default") -> None:
        patch = json.dumps({"status": status})
        words = ("-n", namespace, "patch", kind, name, "--subresource=status", "--type=merge", "-p", patch)
        until(lambda: self.ask(*words))


def populate(cluster: Cluster) -> None:
    """The node and its pods, as a kubelet would tell of them."""
    cluster.make({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node"}})
    cluster.say("node", "node", {"addresses": [{"type": "InternalIP", "address": ADDRESS}]})
    for name, (namespace, address) in PODS.items():
        labels = {TENANT_LABEL: namespace} if namespace.startswith("tenant-") else {}
        cluster.make({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}})
        spec = {"nodeName": "node", "containers": [{"name": "c", "image": "none"}]}
        meta = {"name": name, "namespace": namespace, "labels": LABELS.get(name, {})}
        cluster.make({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
        running = {"phase": "Running", "hostIP": ADDRESS, "podIP": address, "podIPs": [{"ip": address}]}
        cluster.say("pod", name, running, namespace)


def enforce(folder: Path, cluster: Cluster) -> subprocess.Popen[bytes]:
    """The enforcer, out of its image, with the arguments of the role."""
    image = containers.read()["kube-router"]
    built = containers.build("kube-router", image, ensure("kube-router"), lambda _: None, folder / "image.log")
    root = folder / "root"
    for folder_of_kernel in ("proc", "dev"):
        (root / folder_of_kernel).mkdir(parents=True)
    layer = json.loads((built.folder / "blobs/sha256" / built.digest.removeprefix("sha256:")).read_text())["layers"][0]
    blob = built.folder / "blobs/sha256" / layer["digest"].removeprefix("sha256:")
    shell.run("tar", "--zstd", "-xf", str(blob), "-C", str(root))
    for folder_of_kernel in ("proc", "dev"):
        shell.run("mount", "--bind", f"/{folder_of_kernel}", str(root / folder_of_kernel))
    (root / "admin.conf").write_text(cluster.kubeconfig.read_text())
    switches = ["--run-firewall=true", "--run-router=false", "--run-service-proxy=false", "--enable-cni=false"]
    more = ["--hostname-override=node", "--service-cluster-ip-range=10.96.0.0/16", "--kubeconfig=/admin.conf"]
    return start("chroot", root, image.program_path, *switches, *more, log=folder / "enforcer.log")


def apply_policies(cluster: Cluster) -> None:
    """Those of tenants and of caches; waits until they hold."""
    for namespace in ("tenant-a", "tenant-b"):
        for name, spec in policies((PORT,), ()).items():
            meta = {"name": name, "namespace": namespace}
            kind = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
            cluster.make({**kind, "metadata": meta, "spec": spec})
    of_caches = render(plan_of(lab()), "lab-r01-t01", "weights_cache/policies.yaml.j2")
    cluster.make({**YAML(typ="safe").load(of_caches), "metadata": {"name": "c", "namespace": weights.NAMESPACE}})
    until(lambda: not answers(*TRIES["the platform to a cache"]) and not answers(*TRIES["a cache to a tenant"]))
    until(lambda: answers(*TRIES["a tenant to a cache of weights"]))
    until(lambda: not answers(*TRIES["another tenant"]) and not answers(*TRIES["the host's kubelet"]))
    until(lambda: answers(*TRIES["the platform to a service"]))


def main() -> None:
    """Try all connections without and with the policies, and after the enforcer's end."""
    folder = Path(sys.argv[1])
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    for name, (_, address) in PODS.items():
        connect_pod(name, address)
    serve(KUBELET)
    programs = ensure("etcd", "kube-apiserver", "kube-controller-manager", "kubectl", "kubeadm")
    found: dict[str, dict[str, bool]] = {}
    with control_plane(folder / "cluster", programs, version="v1.36.3") as made:
        cluster = Cluster(made)
        populate(cluster)
        enforcer = enforce(folder, cluster)
        rules = ["nft", "list", "chain", "ip", "filter", "KUBE-ROUTER-FORWARD"]
        until(lambda: _VICTIM.encode() in subprocess.run(rules, capture_output=True, check=False).stdout)
        found["without policies"] = {name: answers(*words) for name, words in TRIES.items()}
        apply_policies(cluster)
        found["with policies"] = {name: answers(*words) for name, words in TRIES.items()}
        enforcer.kill()
        enforcer.wait()
        found["with a dead enforcer"] = {name: answers(*words) for name, words in TRIES.items()}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
