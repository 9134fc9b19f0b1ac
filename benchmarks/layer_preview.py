"""How long `pulumi preview` of a layer takes at full size, beside one resource for each endpoint.

    python -m benchmarks.layer_preview [--region essonne] [--rounds 3] [--endpoints 17750]

Works on a copy of the project with a state of its own: nothing of the operator's is read or changed, and no
device is asked. Wall clock decides; the CPU seconds beside it, of all processes of a preview together, hold also where
the machine was busy. Hardware is taken as received, with made-up serial numbers. What an `up` would have recorded is
written into the state from the preview's own plan, as there is no hardware here to bring up; the no-op preview
then runs the real engine, language host and provider against it. The peer, `benchmarks/naive`, is brought up for
real: its resources are dynamic ones that do nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.object_store import object_store
from components.plan import compile_region
from components.plan.model import RegionPlan
from components.plan.packed import packed, unpacked
from components.plan.pending import pending_index
from components.provider.switch_group import read_group
from components.spec import load
from stacks.cli.environment import search_path
from stacks.project import CATALOGUE, LAYERS, ROOT, region_folder

TARGET_S = 5.0
TARGET_RATIO = 20.0
COPIED = ("stacks", "components", "playbooks", "Pulumi.yaml", "pyproject.toml")


def copy_project(folder: Path) -> None:
    """The project as it is, with the same tools."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    for name in (".venv", ".tools"):
        (folder / name).symlink_to(ROOT / name)


def received(plan: RegionPlan) -> dict[str, dict[str, dict[str, object]]]:
    """Every tray as delivered, with serial numbers and MACs that tell it apart."""
    return {
        rack.name: {
            str(host.slot): {
                "serial": f"{rack.name}-{host.slot:02d}".upper().replace("-", ""),
                "macs": [f"02:{host.id >> 8:02x}:{host.id & 255:02x}:00:00:{n:02x}" for n in range(len(host.nics))],
            }
            for host in rack.hosts
        }
        for rack in plan.racks
    }


def prepare(folder: Path, region: str) -> RegionPlan:
    """A project in which the hardware is received and everything is published."""
    copy_project(folder)
    spec = load(region_folder(region), CATALOGUE)
    index = pending_index(spec)
    plan = compile_region(spec, index)
    (folder / ".region" / region).mkdir(parents=True)
    if spec.received:
        (folder / spec.received.removeprefix("file:")).write_text(json.dumps(received(plan)))
    published = index.model_dump_json(by_alias=True).replace('"pending:"', '"https://images.invalid/x"')
    (folder / spec.artifacts.removeprefix("file:")).write_text(published)
    return plan


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of one run, or the median of some."""

    wall_s: float
    cpu_s: float

    def __str__(self) -> str:
        return f"{self.wall_s:6.1f} s ({self.cpu_s:.1f} s of CPU)"


def median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        wall_s=statistics.median(cost.wall_s for cost in costs), cpu_s=statistics.median(cost.cpu_s for cost in costs)
    )


def environment(folder: Path, backend: Mapping[str, str]) -> dict[str, str]:
    # As on an operator's machine: where Python may keep no byte code, each process compiles all modules anew.
    inherited = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {
        **inherited,
        "PATH": search_path(),
        "PYTHONPATH": str(folder),
        "PULUMI_CONFIG_PASSPHRASE": "benchmark",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "1",
        "PULUMI_HOME": str(folder / "pulumi-home"),
        **backend,
    }


def pulumi(folder: Path, env: Mapping[str, str], *words: str, given: str | None = None) -> str:
    """Run pulumi; ends the benchmark with its words if it fails."""
    done = subprocess.run(
        ["pulumi", *words, "--non-interactive"],
        cwd=folder,
        env=dict(env),
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"pulumi {' '.join(words)} failed:\n{done.stderr[-2000:]}\n{done.stdout[-2000:]}")
    return done.stdout


def timed(folder: Path, env: Mapping[str, str], *words: str) -> Cost:
    before, began = os.times(), time.monotonic()
    pulumi(folder, env, *words)
    wall, after = time.monotonic() - began, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(wall_s=wall, cpu_s=cpu)


def outputs(resource: Mapping[str, Any]) -> dict[str, Any]:
    """What an `up` that went well records."""
    inputs = unpacked(resource.get("inputs", {}))
    match resource["type"]:
        case "gpuregion:baremetal:Rack":
            return packed({"trays": {name: _deployed(name, tray) for name, tray in inputs["trays"].items()}})
        case "gpuregion:network:SwitchConfig":
            desired = read_group(inputs).desired
            return packed({"switches": {name: {"config_sha256": each.sha256} for name, each in desired.items()}})
        case _:
            return dict(resource.get("outputs", {}))


def _deployed(name: str, tray: Mapping[str, Any]) -> dict[str, str]:
    return {
        "node": f"node-of-{name}",
        "state": tray["desired"],
        "address": tray["oob"]["address"],
        "image_sha256": "0" * 64,
        "deployed": f"deployment-of-{name}",
        "left": "",
    }


def _id(urn: str) -> str:
    """As Pulumi gives one to a provider; any name will do for the others."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, urn)) if "pulumi:providers:" in urn else urn.rpartition("::")[2]


def record(folder: Path, env: Mapping[str, str], stack: str) -> int:
    """Write the state that an `up` of this stack would leave; returns its size in bytes."""
    plan = json.loads(pulumi(folder, env, "preview", "-s", stack, "--json"))
    resources: list[dict[str, Any]] = [step["newState"] for step in plan["steps"]]
    for resource in resources:
        if resource["custom"]:
            resource["id"] = _id(resource["urn"])
        if resource.get("provider"):  # referred to as URN::ID; a preview does not know the id yet
            urn = resource["provider"].rpartition("::")[0]
            resource["provider"] = f"{urn}::{_id(urn)}"
        resource["outputs"] = outputs(resource)
    exported = json.loads(pulumi(folder, env, "stack", "export", "-s", stack))
    exported["deployment"]["resources"] = resources
    pulumi(folder, env, "stack", "import", "-s", stack, given=json.dumps(exported))
    # What the layer hands over is recorded by a real one, which finds nothing to do.
    pulumi(folder, env, "up", "--yes", "--skip-preview", "-s", stack, "--expect-no-changes")
    return len(pulumi(folder, env, "stack", "export", "-s", stack))


def ours(folder: Path, env: Mapping[str, str], region: str, rounds: int) -> dict[str, Cost]:
    """Layer -> cost of its no-op preview, of the layers whose state can be written without hardware."""
    quiet: dict[str, Cost] = {}
    for layer in LAYERS:
        pulumi(folder, env, "stack", "init", f"{region}.{layer}")
    for layer in LAYERS:
        cost = timed(folder, env, "preview", "-s", f"{region}.{layer}")
        print(f"  {layer:10} first preview, everything to create   {cost}", flush=True)
    for layer in ("fabric", "substrate"):
        stack = f"{region}.{layer}"
        size = record(folder, env, stack)
        quiet[layer] = median(
            [timed(folder, env, "preview", "-s", stack, "--expect-no-changes") for _ in range(rounds)]
        )
        print(f"  {layer:10} nothing to do, state of {size / 1e6:5.1f} MB      {quiet[layer]}", flush=True)
    return quiet


def naive(folder: Path, count: int, rounds: int) -> Cost:
    """Cost of the no-op preview with one resource for each endpoint."""
    shutil.copytree(ROOT / "benchmarks" / "naive", folder / "naive")
    endpoints = [
        {"name": f"endpoint-{n:05d}", "address": f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", "serial": f"S{n:08d}"}
        for n in range(count)
    ]
    (folder / "endpoints.json").write_text(json.dumps(endpoints))
    backend = {
        "PULUMI_BACKEND_URL": (folder / "naive-state").as_uri(),
        "NAIVE_ENDPOINTS": str(folder / "endpoints.json"),
    }
    (folder / "naive-state").mkdir()
    # Checkpoints are rewritten at each of its steps, which alone would take hours: the peer's best configuration.
    env = environment(folder, backend) | {"PULUMI_SKIP_CHECKPOINTS": "true", "PULUMI_EXPERIMENTAL": "true"}
    # The plugin of dynamic resources, which comes with Pulumi's own distribution as a script like this.
    plugin = folder / "bin" / "pulumi-resource-pulumi-python"
    plugin.parent.mkdir()
    plugin.write_text('#!/bin/sh\nexec python -u -m pulumi.dynamic "$@"\n')
    plugin.chmod(0o755)
    env["PATH"] = f"{plugin.parent}{os.pathsep}{env['PATH']}"
    place = folder / "naive"
    pulumi(place, env, "stack", "init", "naive")
    first = timed(place, env, "up", "--yes", "--skip-preview", "-s", "naive", "--parallel", "64")
    print(f"  naive      up of {count} resources that do nothing    {first}", flush=True)
    quiet = median(
        [timed(place, env, "preview", "-s", "naive", "--expect-no-changes") for _ in range(max(1, rounds // 3))]
    )
    size = sum(path.stat().st_size for path in (folder / "naive-state").rglob("*.json"))
    print(f"  naive      nothing to do, state of {size / 1e6:5.1f} MB      {quiet}", flush=True)
    return quiet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--region", default="essonne")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--endpoints", type=int, default=17750, help="of the peer; 0 leaves it out")
    arguments = parser.parse_args()
    print(f"{platform.platform()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plan = prepare(folder, arguments.region)
        print(
            f"{arguments.region}: {len(plan.racks)} racks, {len(plan.hosts)} trays, {len(plan.fabric.switches)} switches"
        )
        (folder / "state").mkdir()
        print("state in files")
        files = {"PULUMI_BACKEND_URL": (folder / "state").as_uri()}
        quiet = ours(folder, environment(folder, files), arguments.region, arguments.rounds)
        print("state in S3 (versitygw)")
        with object_store(folder) as bucket:
            in_s3 = ours(folder, environment(folder, bucket), arguments.region, arguments.rounds)
        worst = max((*quiet.values(), *in_s3.values()), key=lambda cost: cost.wall_s)
        print(f"no-op preview of a layer: {worst} at most (target {TARGET_S:.0f} s)")
        if arguments.endpoints:
            peer = naive(folder, arguments.endpoints, arguments.rounds)
            ratio, of_cpu = peer.wall_s / worst.wall_s, peer.cpu_s / worst.cpu_s
            print(f"naive / ours (the slowest): {ratio:.1f} (target {TARGET_RATIO:.0f}); of CPU seconds {of_cpu:.1f}")


if __name__ == "__main__":
    sys.exit(main())
