"""Machines that join a cluster: all at once, a fixed number at a time, and at a pace found while they join.

    python -m benchmarks.joins [--sizes 300,1000] [--arms at-once,fixed,paced] [--control-cores 0] [--kubeadm 5] [--json]

Everything but the machines is real: etcd, API server, controller manager, kubeadm's phases and join code with its own
limits (10 s for a request, 1 minute for the cluster's configuration, one try for the kubelet's configuration and for
the node's name, 5 minutes for discovery and certificate; kubeadm 1.36, constants.go and cluster.go). Each arm has a
control plane of its own, in name spaces that end with it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.joins.arms import ARMS, Figures, measure
from benchmarks.termination import end_on_sigterm
from lab.joins.namespace import inside
from lab.toolchain.build import ensure
from lab.toolchain.catalogue import catalogue

PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kubeadm", "kubectl", "simulated-node")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--sizes", default="300,1000")
    arguments.add_argument("--arms", default=",".join(ARMS))
    arguments.add_argument(
        "--control-cores", default=None, help="cores of the control plane, such as 0; all by default"
    )
    arguments.add_argument("--kubeadm", type=int, default=5, help="machines on which kubeadm itself runs")
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--inside", help=argparse.SUPPRESS)
    wanted = arguments.parse_args()
    if wanted.inside:
        print(json.dumps(asyncio.run(_measured(json.loads(wanted.inside))).told()))
        return
    end_on_sigterm()
    programs = {name: str(path) for name, path in ensure(*PROGRAMS).items()}
    version = catalogue().programs["kube-apiserver"].module.version
    if not wanted.json:
        print(
            f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.0f}; control plane on {wanted.control_cores or 'all'}"
        )
        print(Figures.heading())
    for size in (int(size) for size in wanted.sizes.split(",")):
        for arm in wanted.arms.split(","):
            with tempfile.TemporaryDirectory(prefix="joins-") as folder:
                order = {
                    "arm": arm,
                    "size": size,
                    "real": wanted.kubeadm,
                    "folder": folder,
                    "programs": programs,
                    "version": version,
                    "cores": wanted.control_cores,
                }
                words = [sys.executable, "-m", "benchmarks.joins", "--inside", json.dumps(order)]
                done = subprocess.run(inside(words), stdout=subprocess.PIPE, text=True, check=True)
            print(done.stdout.strip() if wanted.json else Figures.of(json.loads(done.stdout)).row(), flush=True)


async def _measured(order: Mapping[str, Any]) -> Figures:
    return await measure(
        order["arm"],
        order["size"],
        real=order["real"],
        folder=Path(order["folder"]),
        programs={name: Path(path) for name, path in order["programs"].items()},
        version=order["version"],
        cores=order["cores"],
    )


if __name__ == "__main__":
    main()
