"""Real `kubeadm join` runs, many on one machine.

Owns what each needs for itself: a folder as its root, a port for the health of its kubelet, and the kubelet's stand-in,
which asks for the certificate, leaves the kubeconfig that kubeadm waits for, and keeps the node alive. All phases run;
what preflight has against a machine without systemd and containerd is ignored.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from lab.joins.control_plane import SERVER, ControlPlane
from lab.joins.machines import Joined, JoinFailedError

_DISCOVERY = """\
apiVersion: v1
kind: Config
clusters: [{name: region, cluster: {certificate-authority: /ca.crt, server: "@SERVER@"}}]
contexts: [{name: region, context: {cluster: region, user: join}}]
current-context: region
users: [{name: join, user: {token: "@TOKEN@"}}]
"""
_JOIN = """\
apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery: {file: {kubeConfigPath: /discovery.conf}, tlsBootstrapToken: "@TOKEN@"}
nodeRegistration:
  name: @NAME@
  criSocket: unix:///run/containerd/containerd.sock
  imagePullPolicy: Never
  ignorePreflightErrors: [all]
patches: {directory: /patches}
"""
_PATCH = """\
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
healthzPort: @PORT@
"""


class Kubeadm:
    """Machines on which kubeadm itself runs; their kubelets live as long as the block of `kubeadm_machines`."""

    def __init__(self, cluster: ControlPlane, folder: Path, kubelets: AsyncExitStack) -> None:
        self._cluster = cluster
        self._folder = folder
        self._kubelets = kubelets

    async def join(self, machine: str, token: str) -> Joined:
        """`kubeadm join`, as the role kubernetes calls it. Raises JoinFailedError."""
        root, port = self._folder / machine, _free_port()
        for made in ("etc/kubernetes", "var/lib/kubelet", "tmp", "patches"):
            (root / made).mkdir(parents=True)
        (root / "ca.crt").write_bytes(self._cluster.authority.read_bytes())
        (root / "patches/kubeletconfiguration.yaml").write_text(_PATCH.replace("@PORT@", str(port)))
        for name, text in (("discovery.conf", _DISCOVERY), ("join.yaml", _JOIN)):
            filled = text.replace("@TOKEN@", token).replace("@NAME@", machine).replace("@SERVER@", SERVER)
            (root / name).write_text(filled)
        await self._kubelets.enter_async_context(
            _kubelet(self._cluster.programs["simulated-node"], root, machine, port)
        )
        began = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            str(self._cluster.programs["kubeadm"]), "--rootfs", str(root), "join", "--config", "/join.yaml",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output, _ = await process.communicate()
        if process.returncode:
            raise JoinFailedError(machine, "kubeadm", output.decode()[-600:])
        return Joined(seconds=time.monotonic() - began, steps={})


@asynccontextmanager
async def kubeadm_machines(cluster: ControlPlane, folder: Path) -> AsyncGenerator[Kubeadm]:
    """A place for such machines; ends their kubelets."""
    async with AsyncExitStack() as kubelets:
        yield Kubeadm(cluster, folder, kubelets)


@asynccontextmanager
async def _kubelet(program: Path, root: Path, machine: str, port: int) -> AsyncGenerator[None]:
    process = await asyncio.create_subprocess_exec(
        str(program), "kubelet", "--name", machine, "--healthz-port", str(port),
        "--bootstrap-kubeconfig", str(root / "etc/kubernetes/bootstrap-kubelet.conf"),
        "--kubeconfig", str(root / "etc/kubernetes/kubelet.conf"),
    )  # fmt: skip
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
