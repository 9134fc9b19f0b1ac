"""How long a region with 1,000 tenants and 10,000 services takes to be planned, and what one tenant's change is.

    python -m benchmarks.platform_plan [--tenants 1000] [--services 10]

Writes that many tenants' files beside Essonne's own description into a folder that goes afterwards, and asks, each in
a process of its own: description and plan of all of it; the same with no tenant, as what the platform costs is the
difference; and what a change of one tenant's file is, from reading both descriptions to the list of effects, which is
what a preview shows before it asks Pulumi. Targets: 10 s, and 5 s.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
REGIONS = ROOT / "stacks" / "regions"
PLAN_S, CHANGE_S = 10.0, 5.0
SERVICE = """\
  - name: s{number}
    image: vllm
    ports: [{{port: 8000}}]
    gpu: {{count: 1, memory_gb: 80}}
    env: {{MODE: production}}
    health: {{path: /health}}
    scaling: {{min: 0, max: 4, concurrency: 32, p95_ms: 800, idle_after_s: 300}}
"""


def write(folder: Path, tenants: int, services: int) -> None:
    """Essonne with these tenants and no others."""
    shutil.copytree(REGIONS / "essonne", folder / "essonne")
    shutil.rmtree(folder / "essonne" / "tenants")
    (folder / "essonne" / "tenants").mkdir()
    for number in range(tenants):
        name = f"t{number:04d}"
        body = "".join(SERVICE.format(number=n) for n in range(services))
        (folder / "essonne" / "tenants" / f"{name}.yaml").write_text(
            f"tenant: {name}\nquota: {{pods: 100, gpus: 16}}\npeople: [{{name: ops, role: admin}}]\nservices:\n{body}"
        )


def measure(folder: Path) -> dict[str, Any]:
    """One region, and the change of one tenant in it, in this process."""
    from components.plan import compile_region
    from components.plan.consequences.hosts import host_change
    from components.plan.consequences.tenants import service_effects, tenant_effects
    from components.plan.pending import pending_index
    from components.spec import load
    from stacks.project import kept

    with kept():
        start = time.process_time()
        spec = load(folder / "essonne", REGIONS / "_catalogue", project=folder)
        loaded = time.process_time()
        plan = compile_region(spec, pending_index(spec))
        planned = time.process_time()
        found: dict[str, Any] = {"load_s": loaded - start, "plan_s": planned - loaded}
        if spec.tenants:
            # as in a preview after a first one: the old plan is at hand, the new description is read and compiled
            first = sorted((folder / "essonne" / "tenants").glob("*.yaml"))[0]
            first.write_text(first.read_text().replace("gpus: 16", "gpus: 12").replace("max: 4", "max: 3"))
            before = time.process_time()
            other = load(folder / "essonne", REGIONS / "_catalogue", project=folder)
            new = compile_region(other, pending_index(other))
            change = host_change({}, ())
            effects = (*tenant_effects(plan, new, change), *service_effects(plan, new, change))
            found["change_s"] = time.process_time() - before
            found["effects"] = len(effects)
    found["services"] = len(plan.runtime.services)
    found["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return found


def in_a_process(tenants: int, services: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="platform-plan-") as name:
        write(Path(name), tenants, services)
        command = [sys.executable, "-m", "benchmarks.platform_plan", "--child", name]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise SystemExit(done.stderr or done.stdout)
    return json.loads(done.stdout)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tenants", type=int, default=1000)
    parser.add_argument("--services", type=int, default=10, help="of each tenant")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(measure(options.child)))
        return 0
    bare, full = in_a_process(0, 0), in_a_process(options.tenants, options.services)
    whole = full["load_s"] + full["plan_s"]
    without = bare["load_s"] + bare["plan_s"]
    print(f"processor seconds, one thread, {os.cpu_count()} cores; Essonne's 250 racks stand in each\n")
    print(f"no tenant                {without:6.2f} s   {bare['peak_mib']:5.0f} MiB")
    print(f"{full['services']:,} services          {whole:6.2f} s   {full['peak_mib']:5.0f} MiB")
    print(f"    description          {full['load_s']:6.2f} s")
    print(f"    plan                 {full['plan_s']:6.2f} s")
    print(f"one tenant's change      {full['change_s']:6.2f} s   {full['effects']} effects")
    verdicts = ((whole, PLAN_S, "plan"), (full["change_s"], CHANGE_S, "one tenant's change"))
    for took, target, what in verdicts:
        print(f"{what}: {took:.1f} s of {target:g}: {'within' if took <= target else 'OVER'}")
    return 0 if all(took <= target for took, target, _ in verdicts) else 1


if __name__ == "__main__":
    raise SystemExit(main())
