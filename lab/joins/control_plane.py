"""A real control plane in one folder: etcd, API server, controller manager.

Owns their start and end. kubeadm's phases make the certificates, the flags (as static pods, whose commands are run
here as plain processes), the configuration in the cluster, its tokens and rights; so a machine finds what
`kubeadm init` would have left. Deliberately has no scheduler, kubelet or pod: joins need none.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ruamel.yaml import YAML

from lab.errors import LabError
from lab.joins.namespace import ADDRESS

SERVER = f"https://{ADDRESS}:6443"
_READY_S = 400
_TICKS = os.sysconf("SC_CLK_TCK")
_CONFIG = f"""\
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {{advertiseAddress: {ADDRESS}}}
nodeRegistration: {{name: control-plane, criSocket: "unix:///run/containerd/containerd.sock"}}
bootstrapTokens: [{{ttl: 1m0s}}]
timeouts: {{kubernetesAPICall: 3m0s}}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: @VERSION@
encryptionAlgorithm: ECDSA-P256
controlPlaneEndpoint: {ADDRESS}:6443
networking: {{podSubnet: 10.128.0.0/9, serviceSubnet: 10.96.0.0/16}}
controllerManager:
  extraArgs: [{{name: allocate-node-cidrs, value: "false"}}]
etcd: {{local: {{dataDir: /var/lib/etcd}}}}
dns: {{disabled: true}}
proxy: {{disabled: true}}
"""
# As the role kubernetes leaves it, but for the proxy itself: kubeadm reads it at each join.
_PROXY = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: kube-proxy, namespace: kube-system}
data:
  config.conf: |
    apiVersion: kubeproxy.config.k8s.io/v1alpha1
    kind: KubeProxyConfiguration
    mode: nftables
    clusterCIDR: 10.128.0.0/9
    clientConnection: {kubeconfig: /var/lib/kube-proxy/kubeconfig.conf}
    # A comment, as the role has them.
    nftables: {minSyncPeriod: 50ms}
    oomScoreAdj: 0
    conntrack: {maxPerCore: 0, min: 0}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: kube-proxy, namespace: kube-system}
rules: [{apiGroups: [""], resources: [configmaps], resourceNames: [kube-proxy], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: kube-proxy, namespace: kube-system}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: kube-proxy}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:bootstrappers:kubeadm:default-node-token"}]
"""


@dataclass(frozen=True, kw_only=True)
class ControlPlane:
    """One that runs."""

    folder: Path
    programs: Mapping[str, Path]
    pids: Mapping[str, int]

    @property
    def authority(self) -> Path:
        return self.folder / "etc/kubernetes/pki/ca.crt"

    @property
    def admin(self) -> Path:
        """The administrator's kubeconfig."""
        return self.folder / "etc/kubernetes/admin.conf"

    def cpu_s(self) -> dict[str, float]:
        """Processor seconds of each program so far."""
        used: dict[str, float] = {}
        for name, pid in self.pids.items():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            used[name] = (int(fields[11]) + int(fields[12])) / _TICKS
        return used

    def kubeadm(self, *words: str) -> str:
        """What kubeadm prints; its machine is this folder."""
        return _run([str(self.programs["kubeadm"]), "--rootfs", str(self.folder), *words])

    def join_command(self) -> tuple[str, str]:
        """Token and hash as `kubeadm token create --print-join-command` gives them to an administrator."""
        words = self.kubeadm(
            "token", "create", "--print-join-command", "--kubeconfig=/etc/kubernetes/admin.conf"
        ).split()
        return words[words.index("--token") + 1], words[words.index("--discovery-token-ca-cert-hash") + 1]


@contextmanager
def control_plane(
    folder: Path, programs: Mapping[str, Path], *, version: str, cores: str | None = None
) -> Generator[ControlPlane]:
    """Start one in `folder`, on the processor cores of the list `cores` (such as `0,1`); ends it with all it holds."""
    prefix = ["taskset", "--cpu-list", cores] if cores else []
    (folder / "etc/kubernetes").mkdir(parents=True)
    (folder / "var/lib/kubelet").mkdir(parents=True)
    (folder / "tmp").mkdir()
    (folder / "kubeadm.yaml").write_text(_CONFIG.replace("@VERSION@", version))
    pids: dict[str, int] = {}
    made = ControlPlane(folder=folder, programs=programs, pids=pids)
    init = ("--config=/kubeadm.yaml",)
    for phase in (("certs", "all"), ("kubeconfig", "all"), ("etcd", "local"), ("control-plane", "all")):
        made.kubeadm("init", "phase", *phase, *init)
    with ExitStack() as running:
        for name in ("etcd", "kube-apiserver"):
            pids[name] = running.enter_context(_started(name, programs[name], folder, prefix)).pid
        _wait_until_ready(made)
        # Alone, it leads. A lease lost on a busy machine would end it, and no kubelet is here to start it again.
        name, alone = "kube-controller-manager", "--leader-elect=false"
        pids[name] = running.enter_context(_started(name, programs[name], folder, prefix, alone)).pid
        # kubeadm notes something on the node of the control plane, which a kubelet would have registered.
        _create(made, json.dumps({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "control-plane"}}))
        made.kubeadm("init", "phase", "upload-config", "all", *init)
        made.kubeadm("init", "phase", "bootstrap-token", "--skip-token-print", *init)
        _create(made, _PROXY)
        yield made


@contextmanager
def _started(
    name: str, program: Path, folder: Path, prefix: Sequence[str], *more: str
) -> Generator[subprocess.Popen[bytes]]:
    manifest = cast("Any", YAML(typ="safe")).load((folder / f"etc/kubernetes/manifests/{name}.yaml").read_text())
    words = [str(word) for word in manifest["spec"]["containers"][0]["command"][1:]]
    own = [
        w.replace("/etc/kubernetes", f"{folder}/etc/kubernetes").replace("/var/lib/etcd", f"{folder}/etcd")
        for w in words
    ]
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [*prefix, str(program), *own, *more], stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(made: ControlPlane) -> None:
    end = time.monotonic() + _READY_S
    while True:
        done = _kubectl(made, "get", "--raw=/readyz")
        if done.returncode == 0:
            return
        for name, pid in made.pids.items():
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                raise LabError(f"{name} has ended", found=(made.folder / f"{name}.log").read_text()[-2000:])
        if time.monotonic() > end:
            raise LabError(f"no API server after {_READY_S} s", found=done.stderr[-500:])
        time.sleep(0.3)


def _create(made: ControlPlane, text: str) -> None:
    done = _kubectl(made, "create", "--filename=-", text=text)
    if done.returncode:
        raise LabError("the API server does not take what belongs to a control plane", found=done.stderr)


def _kubectl(made: ControlPlane, *words: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(made.programs["kubectl"]), "--kubeconfig", str(made.folder / "etc/kubernetes/super-admin.conf"), *words],
        input=text, capture_output=True, text=True, check=False,
    )  # fmt: skip


def _run(words: Sequence[str]) -> str:
    done = subprocess.run(list(words), capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"{' '.join(words[3:7])} failed", found=(done.stderr or done.stdout)[-1500:])
    return done.stdout
