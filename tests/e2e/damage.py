"""What a test breaks on a lab that serves, each with what makes it whole again."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Generator
from contextlib import contextmanager

import httpx

from lab import processes
from lab.context import Lab
from lab.services import pki, registry, secrets, service
from lab.wiring import Machine
from tests.e2e.process import run
from tests.e2e.services import kubectl

SYSTEM = ("keda", "envoy-gateway-system")
"""Namespaces of what stands between a client and a service."""
CONTROL = "lab-r01-t01"
API_MANIFEST = "/etc/kubernetes/manifests/kube-apiserver.yaml"
READY_S = 180
"""In which all that was broken is whole again."""


def kill(namespace: str, selector: str, container: str) -> str:
    """SIGKILL one container of the first pod that is selected; the node where it ran."""
    pods = json.loads(kubectl("-n", namespace, "get", "pods", "-l", selector, "-o", "json"))["items"]
    pod = next(p for p in pods if p["status"]["phase"] == "Running")
    (state,) = (c for c in pod["status"]["containerStatuses"] if c["name"] == container)
    node, identity = str(pod["spec"]["nodeName"]), state["containerID"].removeprefix("containerd://")
    within(node, "ctr", "-n", "k8s.io", "task", "kill", "-s", "SIGKILL", identity)
    return node


def within(node: str, *command: str) -> str:
    """What a command says inside a machine."""
    return run("python", "-m", "lab", "exec", node, *command).stdout


def wait_until_whole() -> None:
    """Every node is Ready, and all between clients and services runs again."""
    deadline = time.monotonic() + READY_S
    while run("kubectl", "get", "--raw", "/readyz", expect=(0, 1)).returncode:
        assert time.monotonic() < deadline, "the API server does not come back"
        time.sleep(1)
    kubectl("wait", "node", "--all", "--for=condition=Ready", f"--timeout={READY_S}s", timeout_s=READY_S + 10)
    for namespace in SYSTEM:
        words = ("wait", "deployment", "--all", "--for=condition=Available", f"--timeout={READY_S}s")
        kubectl("-n", namespace, *words, timeout_s=READY_S + 10)
        for name in kubectl("-n", namespace, "get", "deployment", "-o", "name").split():
            # Available is also one of two.
            kubectl("-n", namespace, "rollout", "status", name, f"--timeout={READY_S}s", timeout_s=READY_S + 10)


@contextmanager
def without_keda() -> Generator[None]:
    """KEDA's operator does not run."""
    scale = ("-n", "keda", "scale", "deployment", "keda-operator")
    kubectl(*scale, "--replicas=0")
    try:
        kubectl("-n", "keda", "wait", "pod", "-l", "app=keda-operator", "--for=delete", "--timeout=60s")
        yield
    finally:
        kubectl(*scale, "--replicas=1")


@contextmanager
def without_api() -> Generator[None]:
    """The API server does not run: the kubelet ends a static pod whose file is gone."""
    aside = "/etc/kubernetes/kube-apiserver.aside"
    within(CONTROL, "mv", API_MANIFEST, aside)
    try:
        deadline = time.monotonic() + 60
        while not run("kubectl", "get", "--raw", "/livez", "--request-timeout=2s", expect=(0, 1)).returncode:
            assert time.monotonic() < deadline, "the API server still answers"
            time.sleep(1)
        yield
    finally:
        within(CONTROL, "mv", aside, API_MANIFEST)


@contextmanager
def without_registry() -> Generator[None]:
    """The registry of images does not answer."""
    lab = Lab.running()
    processes.stop("registry")
    try:
        yield
    finally:
        service.ensure(registry.service(lab), lab.home)


@contextmanager
def without_power(node: str) -> Generator[None]:
    """The machine's BMC takes its power; Ironic, which would give it back within half a minute, is told to wait."""
    lab = Lab.running()
    machine = next(m for m in lab.wiring.machines if m.name == node)
    trust = ssl.create_default_context(cafile=str(pki.authority(lab.home)))
    with httpx.Client(verify=trust, timeout=60, trust_env=False) as client:
        _maintain(client, lab, node, on=True)
        try:
            _press(client, lab, machine, "ForceOff")
            yield
        finally:
            _press(client, lab, machine, "On")
            _maintain(client, lab, node, on=False)


def forget_image(node: str, name: str) -> None:
    """Let a node have no image of this name."""
    images = within(node, "ctr", "-n", "k8s.io", "images", "ls", "-q").split()
    if found := [image for image in images if name in image]:
        within(node, "ctr", "-n", "k8s.io", "images", "rm", *found)


def _maintain(client: httpx.Client, lab: Lab, node: str, *, on: bool) -> None:
    at, login = lab.wiring.services, secrets.read(lab.home, "ironic")
    url = f"https://{at.address}:{at.ironic}/v1/nodes/{node}/maintenance"
    answer = client.request(
        "PUT" if on else "DELETE",
        url,
        auth=(login["username"], login["password"]),
        headers={"X-OpenStack-Ironic-API-Version": "1.81"},
    )
    answer.raise_for_status()


def _press(client: httpx.Client, lab: Lab, machine: Machine, button: str) -> None:
    login = secrets.read(lab.home, "bmc")
    base, auth = f"https://{machine.bmc_address}", (login["username"], login["password"])
    (system,) = client.get(f"{base}/redfish/v1/Systems", auth=auth).raise_for_status().json()["Members"]
    reset = f"{base}{system['@odata.id']}/Actions/ComputerSystem.Reset"
    client.post(reset, auth=auth, json={"ResetType": button}).raise_for_status()
