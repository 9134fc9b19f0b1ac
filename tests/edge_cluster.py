"""An edge that is a one-host cluster: a machine that the project's playbooks make a node, with what Pulumi declares.

Real are kubeadm, containerd, the kubelet, KEDA with its interceptor, Envoy Gateway and Envoy, and the images, pulled from
a registry of the edge's own. Played are the machine (systemd-nspawn), its fabric (all addresses are in the edge's
namespace, there is no BGP), and Pulumi's engine: its objects are applied by kubectl.
"""

from __future__ import annotations

import json
import shlex
import shutil
import time
from pathlib import Path
from typing import Any

import yaml

from components.clients.ansible import PlaybookRequest, run_playbook
from components.plan import compile_region
from components.plan.inventory import ansible_inventory
from components.spec import Region
from components.spec.rack import Role
from lab import cgroups, shell
from lab.edges import node_root, spaces
from lab.edges.client import Client
from lab.edges.description import Point
from lab.edges.machine import Machine
from lab.edges.programs import Programs
from lab.errors import LabError
from tests import edge_images
from tests.authority import write_authority
from tests.edge_objects import objects_of
from tests.edge_world import planned
from tests.regions import ROOT

PLAYBOOKS = {
    "bootstrap.yml": ("base", "pod_network", "containerd", "kubernetes"),
    "cluster.yml": (),
    "runtime.yml": ("keda", "envoy_gateway", "keda_http_add_on"),
}
"""Which parts of the project's playbooks make the edge; none named: all. Left out are fabric, clock and GPUs, the enforcer of
network policies, queues, metering and caches of weights, and the repository of packages, which the machine's root has."""
UNUSED = ("apt_repository_key", "weights_cache_ca_certificate", "weights_cache_credentials")
"""What roles want to be told of which nothing runs here."""
START_S = 300
ENTRANCE = """\
#!/bin/sh
# Called as ssh is; the last word is the command.
for word; do :; done
exec {entrance} sh -c "$word"
"""
PATCH = "/etc/kubernetes/patches/kubeletconfiguration-room.yaml"
ROOM = {
    "apiVersion": "kubelet.config.k8s.io/v1beta1",
    "kind": "KubeletConfiguration",
    "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
    "imageGCHighThresholdPercent": 100,
    "imageGCLowThresholdPercent": 99,
}
"""For the kubelet: disk and memory are the bench's, and how full they are says nothing of this machine."""
KUBECTL = ("kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf")


class ClusterEdge:
    """A region's cluster on one host, behind the region's gateway address."""

    def __init__(self, folder: Path, region: Region, tenant: str, point: Point) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.point = point
        self.programs = Programs(folder)
        write_authority(folder)
        log = folder / "build.log"
        self.images = edge_images.built(region, tenant, log)
        self.endpoints = planned(region).endpoints
        self.plan = compile_region(
            region,
            edge_images.index(
                region, self.images, self.endpoints.registry, self.endpoints.address, folder / "manifests"
            ),
        )
        self.tenant = next(each for each in self.plan.cluster.tenants if each.name == tenant)
        self.host = next(each for each in self.plan.deployed_hosts if each.role is Role.CONTROL_PLANE)
        self.objects = objects_of(self.plan, self.tenant, folder)
        self.machine = Machine(folder / "machine", self.host.name, node_root.layers(log))
        self._inside: spaces.Inside | None = None
        self._is_made = False

    @property
    def is_running(self) -> bool:
        """Whether the machine has power."""
        return self.machine.is_on

    def start(self, namespace: str) -> None:
        """Power for the machine, and at first what a region has beside its hosts."""
        if self._inside is None:
            self._inside = spaces.Inside(namespace)
            own = (self.host.loopback, self.plan.cluster.api_address, self.endpoints.address)
            lines = "".join(f"address add {address}/32 dev lo\n" for address in own)
            shell.run("ip", "-n", namespace, "-batch", "-", stdin=lines)
            # The fabric's role does so, which is left out.
            shell.run("ip", "netns", "exec", namespace, "sysctl", "-qw", "net.ipv4.ip_forward=1")
            edge_images.serve(self.programs, namespace, self.endpoints.registry, self.endpoints.address, self.folder)
        self.machine.power_on(namespace)

    def wait(self) -> None:
        """Until the gateway answers for itself and each service of the tenant for itself."""
        if not self._is_made:
            self._make()
            self._is_made = True
        runtime = self.plan.runtime
        self._until_answers(runtime.health_host, runtime.health_path)
        for service in runtime.services:
            if service.tenant == self.tenant.name:
                self._until_answers(service.host, "/")

    def stop(self) -> None:
        """The plug is pulled."""
        self.machine.cut()

    def close(self) -> None:
        """All of it, with its disk and its images; logs stay."""
        self.machine.remove()
        self.programs.end_all()
        shutil.rmtree(self.folder / edge_images.REGISTRY, ignore_errors=True)
        if self._inside:
            self._inside.close()

    def kubectl(self, *words: str, stdin: str | None = None, timeout_s: float = 120) -> str:
        """Output of kubectl as the cluster's administrator."""
        return self.machine.run(*KUBECTL, *words, stdin=stdin, timeout_s=timeout_s)

    def _make(self) -> None:
        assert self._inside
        authority = self.folder / "ca.crt"
        edge_images.push(self._inside, self.images.values(), self.endpoints.registry, self.endpoints.address, authority)
        self.machine.run("mkdir", "-p", str(Path(PATCH).parent))
        self.machine.run("tee", PATCH, stdin=json.dumps(ROOM))
        for playbook, tags in PLAYBOOKS.items():
            run_playbook(self._request(playbook, tags))
            if playbook == "cluster.yml":  # the only node carries all
                self.kubectl("taint", "nodes", self.host.name, "node-role.kubernetes.io/control-plane-")
        text = yaml.safe_dump_all(self.objects)
        self.kubectl("apply", "--server-side", "--filename=-", stdin=text, timeout_s=START_S)

    def _request(self, playbook: str, tags: tuple[str, ...]) -> PlaybookRequest:
        return PlaybookRequest(
            playbooks=ROOT / "playbooks",
            playbook=playbook,
            inventory=self._inventory(),
            variables=self._variables(),
            private_key="none",
            known_hosts="",
            directory=self.folder,
            log=self.folder / f"{playbook}.log",
            tags=tags,
            timeout_s=START_S,
        )

    def _inventory(self) -> dict[str, Any]:
        """The plan's, of this host alone; it is entered from beside it, as its keys are nobody's."""
        planned_all = ansible_inventory(self.plan)["all"]
        control = planned_all["children"]["hosts"]["children"]["control_plane"]["hosts"]
        entrance = self.folder / "enter"
        entrance.write_text(ENTRANCE.format(entrance=shlex.join(self.machine.entrance())))
        entrance.chmod(0o755)
        way = {
            "ansible_connection": "ssh",
            "ansible_ssh_executable": str(entrance),
            "ansible_ssh_transfer_method": "piped",
        }
        groups: dict[str, dict[str, Any]] = {
            "control_plane": {"hosts": {self.host.name: {**control[self.host.name], **way}}},
            "gpu_worker": {"hosts": {}},
        }
        return {"all": {"vars": planned_all["vars"], "children": {"hosts": {"children": groups}}}}

    def _variables(self) -> dict[str, Any]:
        """Secrets, and in what a machine of the bench differs from what the region's racks hold."""
        host, cluster = self.host, 2 if (cgroups.MOUNT / "cgroup.controllers").exists() else 1
        registry = self.endpoints.registry.partition(":")[0]
        return {
            "base_ca_certificate": (self.folder / "ca.crt").read_text(),
            "base_host_table": f"{host.loopback} {host.name}\n{self.endpoints.address} {registry}\n",
            # Nobody listens there, and the kernel says so at once: a name server that is silent costs kubeadm a minute.
            "base_dns_servers": [host.loopback],
            **dict.fromkeys(UNUSED, ""),
            "kubernetes_ca_key": (self.folder / "ca.key").read_text(),
            "kubernetes_admin_kubeconfig": "",
            "kubernetes_cgroup_version": cluster,
            "kubernetes_limited_oom_score": True,
            "containerd_cgroup_driver": "systemd" if cluster == 2 else "cgroupfs",
            "containerd_limited_oom_score": True,
            "envoy_gateway_proxies": 1,
        }

    def _until_answers(self, host: str, path: str) -> None:
        assert self._inside
        client = Client(self._inside, ())
        end = time.monotonic() + START_S
        while not client.visit_at(self.point.addresses[0], host, path).by:
            if time.monotonic() > end:
                pods = self.kubectl("get", "pods", "--all-namespaces")
                raise LabError(f"the edge of {self.plan.region} does not answer for {host}{path}", found=pods)
            time.sleep(0.5)
