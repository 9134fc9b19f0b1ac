"""Jobs of one NVLink domain in a queue: real API server, scheduler and Kueue; prints what became of them, as JSON.

Run as the first process of a place of its own (`lab.joins.namespace.inside`). Jobs, claims and queues are those that
the project declares, Kueue's configuration is that of its role. Two racks have two trays each. There is no kubelet:
this program says that the pods of a job run once all are placed.

    python -m tests.gang_stage FOLDER
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from components.plan.naming import RACK_LABEL
from components.plan.serving import WORKLOAD_ACCOUNT
from components.plan.tenancy.queues import API, LOCAL_QUEUE, cluster_queue_spec, flavor_labels, local_queue_spec
from components.plan.tenants import ServicePlan, TenantPlan
from components.runtime.job import Job, JobArgs
from components.spec.service import Gang, Kind
from lab import shell
from lab.joins.control_plane import SERVER, control_plane
from lab.toolchain.build import ensure, go
from lab.toolchain.catalogue import catalogue
from tests.a_service import chat
from tests.policy_stage import Cluster, start, until
from tests.pulumi_mocks import declare
from tests.regions import lab, plan_of
from tests.role_render import render

TRAYS = {"a-1": "a", "a-2": "a", "b-1": "b", "b-2": "b"}
"""Host -> its rack."""
GPUS = 4
POOL = "nvl"
DRIVER, CLASS = "gpu.example.com", "gpu"
TENANT = TenantPlan(name="demo", namespace="tenant-demo", pods=100, gpus=100)
GANG = chat(gpus=GPUS, kind=Kind.JOB, job=Gang(pods=2, nvlink_domain=True))
LIMIT = "15s"
"""In place of the role's: until a gang that is not whole gives back what it holds."""
HOOKS = 9443


def job_of(name: str) -> tuple[ServicePlan, dict[str, dict[str, Any]]]:
    """A job with its claim, as Pulumi declares them."""
    plan = replace(GANG, name=name)
    seen = declare(lambda: Job("of", JobArgs(service=plan, device_class=CLASS, region="lab")))
    kinds = {"of-claim": ("resource.k8s.io/v1", "ResourceClaimTemplate"), "of-job": ("batch/v1", "Job")}
    return plan, {
        kind: {**seen[which].inputs, "apiVersion": version, "kind": kind} for which, (version, kind) in kinds.items()
    }


class Trays:
    """Hosts with GPUs, as kubelets and a driver would tell of them."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def make(self) -> None:
        for tray, rack in TRAYS.items():
            labels = {RACK_LABEL: rack, **flavor_labels([POOL])[POOL]}
            self.cluster.make({"apiVersion": "v1", "kind": "Node", "metadata": {"name": tray, "labels": labels}})
            pool = {"name": tray, "generation": 1, "resourceSliceCount": 1}
            devices = [{"name": f"gpu-{index}"} for index in range(GPUS)]
            spec = {"driver": DRIVER, "nodeName": tray, "pool": pool, "devices": devices}
            slice_ = {"apiVersion": "resource.k8s.io/v1", "kind": "ResourceSlice", "metadata": {"name": tray}}
            self.cluster.make({**slice_, "spec": spec})
        self.beat()

    def beat(self) -> None:
        """All are well: else the controllers take them for lost within a minute."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        room = {"cpu": "64", "memory": "900Gi", "pods": "100"}
        well = [{"type": "Ready", "status": "True", "lastHeartbeatTime": now}]
        for tray in TRAYS:
            self.cluster.say("node", tray, {"capacity": room, "allocatable": room, "conditions": well})


class Jobs:
    """What stands of them in the cluster."""

    def __init__(self, cluster: Cluster, trays: Trays) -> None:
        self.cluster, self.trays = cluster, trays

    def read(self, *words: str) -> Any:
        asked = (*self.cluster.kubectl, "--namespace", TENANT.namespace, "get", "--output=json", *words)
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        return json.loads(done.stdout) if done.returncode == 0 else {"items": []}

    def hosts(self, plan: ServicePlan) -> list[str]:
        """Of its pods; empty for one that has none."""
        pods = self.read("pods", f"--selector=gpuregion.dev/service={plan.name}")["items"]
        return [pod["spec"].get("nodeName", "") for pod in pods]

    def submit(self, name: str) -> ServicePlan:
        plan, objects = job_of(name)
        for each in objects.values():
            self.cluster.make(each)
        return plan

    def settle(self, is_so: Callable[[], bool]) -> None:
        def beaten() -> bool:
            self.trays.beat()
            return is_so()

        until(beaten)

    def place(self, name: str) -> list[str]:
        """Racks of the pods of a new job, all of which run now."""
        plan = self.submit(name)
        self.settle(lambda: len(hosts := self.hosts(plan)) == 2 and all(hosts))
        running = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        for pod in self.read("pods", f"--selector=gpuregion.dev/service={plan.name}")["items"]:
            self.cluster.say("pod", pod["metadata"]["name"], running, TENANT.namespace)
        return [TRAYS[host] for host in self.hosts(plan)]

    def evicted(self, plan: ServicePlan) -> Mapping[str, Any] | None:
        """Why Kueue took the job back, if it did."""
        for workload in self.read("workloads.kueue.x-k8s.io")["items"]:
            if workload["metadata"]["ownerReferences"][0]["name"].startswith(f"{plan.name}-"):
                for condition in workload.get("status", {}).get("conditions", ()):
                    if condition["type"] == "Evicted":
                        return condition
        return None


def queues(cluster: Cluster) -> None:
    """The tenant's namespace, account and queue, and what it counts."""
    cluster.make({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": TENANT.namespace}})
    place = {"namespace": TENANT.namespace}
    cluster.make({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": WORKLOAD_ACCOUNT, **place}})
    selects = [{"cel": {"expression": f"device.driver == '{DRIVER}'"}}]
    device_class = {"apiVersion": "resource.k8s.io/v1", "kind": "DeviceClass", "metadata": {"name": CLASS}}
    cluster.make({**device_class, "spec": {"selectors": selects}})
    for flavor, labels in flavor_labels([POOL]).items():
        spec = {"spec": {"nodeLabels": labels}} if labels else {}
        cluster.make({"apiVersion": API, "kind": "ResourceFlavor", "metadata": {"name": flavor}, **spec})
    # Without the selector of namespaces, whose label the tenant's own component sets.
    spec: dict[str, Any] = {**cluster_queue_spec(TENANT, {POOL: TENANT.gpus}, "lab"), "namespaceSelector": {}}
    meta = {"name": TENANT.namespace}
    cluster.make({"apiVersion": API, "kind": "ClusterQueue", "metadata": meta, "spec": spec})
    local = {"apiVersion": API, "kind": "LocalQueue", "metadata": {"name": LOCAL_QUEUE, **place}}
    cluster.make({**local, "spec": local_queue_spec(TENANT)})


def configuration() -> dict[str, Any]:
    """Of the role, but for what a pod would be given: certificates, a lease, time."""
    rendered = YAML(typ="safe").load(render(plan_of(lab()), "lab-r01-t01", "kueue/kustomization.yaml.j2"))
    (change,) = [each["patch"] for each in rendered["patches"] if each["target"]["kind"] == "ConfigMap"]
    said = YAML(typ="safe").load(YAML(typ="safe").load(change)[0]["value"])
    return {
        **said,
        "leaderElection": {"leaderElect": False},
        "internalCertManagement": {"enable": False},
        "webhook": {"port": HOOKS, "certDir": "/etc/kueue/metrics/certs"},
        "integrations": {"frameworks": ["batch/job"]},
        "waitForPodsReady": {**said["waitForPodsReady"], "timeout": LIMIT},
        "resources": {"deviceClassMappings": [{"name": "gpuregion.dev/gpu", "deviceClassNames": [CLASS]}]},
    }


def run_kueue(folder: Path, cluster: Cluster, pki: Path) -> None:
    """Its objects and the program, in a root of its own as in its image. Its webhooks are left out: nothing here needs
    what they fill in."""
    bases = go().module_folder(catalogue().modules["kueue"]) / "config/components/crd/bases"
    shell.run(*cluster.kubectl, "apply", "--server-side", "--filename", str(bases))
    until(lambda: cluster.ask("wait", "--for=condition=Established", "--timeout=60s", "--filename", str(bases)))
    until(lambda: cluster.ask("get", "workloads.kueue.x-k8s.io", "--all-namespaces"))
    root = folder / "kueue"
    certificates = root / "etc/kueue/metrics/certs"
    certificates.mkdir(parents=True)
    (root / "tmp").mkdir()
    for name in ("crt", "key"):
        (certificates / f"tls.{name}").write_text((pki / f"apiserver.{name}").read_text())
    (root / "config.yaml").write_text(json.dumps(configuration()))
    (root / "kubeconfig").write_text(cluster.kubeconfig.read_text())
    (root / "manager").write_bytes(ensure("kueue")["kueue"].read_bytes())
    (root / "manager").chmod(0o755)
    gates = "DynamicResourceAllocation=true,DRAExtendedResources=true,VisibilityOnDemand=false,MultiKueue=false"
    words = ("--config=/config.yaml", "--kubeconfig=/kubeconfig", f"--feature-gates={gates}")
    start("chroot", root, "/manager", *words, log=folder / "kueue.log")


def main() -> None:
    """Two jobs that fill two racks, and one that finds no room."""
    folder = Path(sys.argv[1])
    programs = ensure("etcd", "kube-apiserver", "kube-controller-manager", "kubectl", "kubeadm", "kube-scheduler")
    found: dict[str, Any] = {}
    with control_plane(folder / "cluster", programs, version="v1.36.3") as made:
        cluster = Cluster(made)
        words = (f"--kubeconfig={cluster.kubeconfig}", "--leader-elect=false", f"--master={SERVER}")
        start(programs["kube-scheduler"], *words, log=folder / "scheduler.log")
        run_kueue(folder, cluster, made.folder / "etc/kubernetes/pki")
        queues(cluster)
        trays = Trays(cluster)
        trays.make()
        jobs = Jobs(cluster, trays)
        found["racks"] = [jobs.place("one"), jobs.place("two")]
        third = jobs.submit("three")
        jobs.settle(lambda: jobs.hosts(third) == ["", ""])
        jobs.settle(lambda: jobs.evicted(third) is not None)
        found["third"] = jobs.evicted(third)
        jobs.settle(lambda: not jobs.hosts(third))
        found["hosts of the others"] = sorted(
            TRAYS[host] for each in ("one", "two") for host in jobs.hosts(replace(GANG, name=each))
        )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
