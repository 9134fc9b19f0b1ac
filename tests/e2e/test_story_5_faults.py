"""What breaks on a lab that serves is found by its runbook, and mended as it says."""

from __future__ import annotations

import time

import pytest

from tests.e2e import runbooks
from tests.e2e.process import run

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]


def test_a_node_that_is_not_ready_is_found_by_its_runbook_and_mended() -> None:
    node = "lab-r01-t02"
    run("python", "-m", "lab", "exec", node, "systemctl", "stop", "kubelet")
    run("kubectl", "wait", "--for=condition=Ready=Unknown", f"node/{node}", "--timeout=60s")
    shown = {
        command.partition("root@172.30.0.")[2] or command: text
        for command, text in runbooks.diagnose("NodeNotReady").items()
    }
    assert f"cluster.node.{node}" in shown["region verify lab --layer cluster --no-wake"]
    assert f"{node} NotReady" in " ".join(
        shown["kubectl --kubeconfig .region/lab/kubeconfig get nodes -o wide"].split()
    )
    assert (
        "Kubelet stopped posting node status"
        in shown[f"kubectl --kubeconfig .region/lab/kubeconfig describe node {node}"]
    )
    assert "inactive (dead)" in shown["66 systemctl status kubelet --no-pager"]
    assert "Stopped kubelet" in shown["66 journalctl -u kubelet -n 50 --no-pager"]
    assert "active (running)" in shown["66 systemctl status containerd --no-pager"]
    assert "Server:" in shown["66 timeout 10 ctr version"]
    control = next(text for command, text in shown.items() if command.startswith("65 "))
    for part in ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"):
        assert part in control
    assert "readyz check passed" in shown['curl -sk "https://10.255.1.1:6443/readyz?verbose"']
    for command in runbooks.steps("NodeNotReady", "Mitigation"):
        if "restart" in command:
            run("sh", "-c", command)
    run("kubectl", "wait", "--for=condition=Ready", f"node/{node}", "--timeout=60s")
    # Its pods were taken for unready too, and are looked at again only every 10 s.
    run("kubectl", "-n", "kube-system", "wait", "--for=condition=Ready", "pod", "--all", "--timeout=60s")
    run("region", "verify", "lab", "--layer", "cluster")


def test_a_function_that_does_not_wake_is_found_by_its_runbook_and_mended() -> None:
    run("kubectl", "-n", "keda", "delete", "referencegrant", "tenant-demo-hello-gpu")
    time.sleep(5)  # the gateway notices within moments
    said = run("region", "verify", "lab", "--layer", "runtime", "--no-wake", expect=(1,))
    told = said.stdout + said.stderr
    assert "RefNotPermitted" in told
    assert "docs/runbooks/FunctionDoesNotWake.md" in told
    runbooks.diagnose("FunctionDoesNotWake")
    run("sh", "-c", 'eval "$(region env)" && pulumi refresh -s lab.runtime --yes --non-interactive')
    run("region", "up", "lab", "--layer", "runtime")
    run("region", "verify", "lab", "--layer", "runtime")
