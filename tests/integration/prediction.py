"""One change of the lab on a bench, predicted and then done: `python -m tests.integration.prediction PROJECT STEP`.

The steps follow each other: each begins with what the one before left. The provider's handlers do the work, held
to the list of the prediction. Prints one JSON object: what was predicted, and what journal, switches and machines
say was done.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.clients.ssh import SshAccess
from components.clients.switch import FrrSwitch
from components.engine.approval import Approval
from components.engine.journal import Journal, Outcome
from components.plan import RegionPlan, compile_region
from components.plan.actions import ActionKind
from components.plan.consequences import Planned, planned_actions, snapshot_of
from components.plan.consequences.snapshot import RACK, Layers
from components.plan.pending import pending_index
from components.plan.resources import switch_group_inputs
from components.provider.handler import Context, Handler
from components.provider.rack import RackHandler
from components.provider.switch_config import SwitchConfigHandler
from components.spec import load
from lab.context import Lab
from lab.images import deploy_image
from tests.regions import Edit
from tests.scenarios import LAB, write

STEPS: Mapping[str, tuple[Edit, ...]] = {
    "first": (),
    "nothing": (Edit("racks.yaml", "    id: 1\n", "    id: 1     # beside the door\n"),),
    "bfd-timer": (Edit("network.yaml", "interval_ms: 100", "interval_ms: 200"),),
    "spare-promoted": (Edit("racks.yaml", "slot: 4, role: spare", "slot: 4, role: gpu_worker"),),
    "bmc-credential": (Edit("region.yaml", "bmc: file:.lab/secrets/bmc.json", "bmc: file:.lab/secrets/bmc2.json"),),
    "dns-server": (Edit("region.yaml", "dns: [172.30.0.1]", "dns: [172.30.0.1, 172.30.0.2]"),),
    "host-becomes-a-spare": (Edit("racks.yaml", "slot: 4, role: gpu_worker", "slot: 4, role: spare"),),
    "as-number": (Edit("network.yaml", "leaf: 65100-65199", "leaf: 65110-65199"),),
}
"""In this order; each with what it changes."""
_OF_A_RUN = (ActionKind.CONFIRM, ActionKind.POWER_OFF)


def plan_after(step: str | None, folder: Path, lab: Lab) -> RegionPlan | None:
    """The plan once this step is done; nothing before the first."""
    if step is None:
        return None
    names = list(STEPS)
    edits = [edit for name in names[: names.index(step) + 1] for edit in STEPS[name]]
    regions = write(folder / step, LAB, edits) / "stacks/regions"
    spec = load(regions / "lab", regions / "_catalogue", project=folder / step)
    at = lab.wiring.services
    found = deploy_image.publish(lab.home).artifact(f"http://{at.address}:{at.images}")
    index = pending_index(spec)
    image = next(iter(index.deploy_images.values())).model_copy(update={"url": found["url"], "sha256": found["sha256"]})
    return compile_region(spec, index.model_copy(update={"deploy_images": dict.fromkeys(index.deploy_images, image)}))


async def act(project: Path, step: str) -> dict[str, Any]:
    """Predict, do, and tell both."""
    lab = Lab.running()
    names = list(STEPS)
    before = names[names.index(step) - 1] if step != names[0] else None
    with tempfile.TemporaryDirectory() as folder:
        old, new = plan_after(before, Path(folder), lab), plan_after(step, Path(folder), lab)
    assert new is not None
    was: Layers = snapshot_of(old, {}).layers if old else {}
    becomes = snapshot_of(new, {}).layers
    planned = planned_actions(was, becomes)
    physical = _presses(lab)
    starts = await _starts(project, old) if old else {}
    journal = project / "journal.db"
    seen = len(Journal.read_history(journal, limit=10_000))
    await _run(project, was, becomes, planned)
    later, far = await _starts(project, new), _sessions(new)
    history = Journal.read_history(journal, limit=10_000)
    fresh = [row for row in history[: len(history) - seen] if row.kind not in _OF_A_RUN]
    return {
        "predicted": sorted({f"{p.action.kind} {p.device}" for p in planned if _is_on_a_device(p, was)}),
        "done": sorted({f"{row.kind} {row.target}" for row in fresh}),
        "outcomes": sorted({row.outcome or "none" for row in fresh}),
        "refused": sorted({row.target for row in fresh if row.outcome == Outcome.FAILED}),
        "agent_boots_predicted": sum(
            p.action.kind in (ActionKind.INSPECT, ActionKind.CLEAN, ActionKind.DEPLOY) for p in planned
        ),
        "agent_boots": sum((_presses(lab) - physical).values()),
        # hosts have no routing here, so only what was up can flap
        "flaps_predicted": sorted({far[end] for p in planned for end in p.action.disrupts if end in starts}),
        "flaps": sorted({far[end] for end, count in starts.items() if later.get(end, count + 1) > count}),
    }


def _is_on_a_device(planned: Planned, was: Layers) -> bool:
    """Whether the journal knows it: a correction of what Ironic knows of a machine is none."""
    known = {tray for rack in was.get("substrate", {}).values() for tray in rack.inputs["trays"]}
    is_record = planned.action.kind is ActionKind.ENROL and planned.action.target in known
    return planned.is_physical and not is_record


async def _run(project: Path, was: Layers, becomes: Layers, planned: tuple[Planned, ...]) -> None:
    approved = Approval.of([(p.layer, p.device, str(p.action.kind)) for p in planned], "the prediction")
    for layer in ("fabric", "substrate"):
        with Journal.open(project / "journal.db", scope=f"lab.{layer}", approval=approved) as journal:
            context = Context(project=project, region="lab", journal=journal, report=_tell)
            for name, resource in becomes[layer].items():
                handler: Handler = RackHandler() if resource.token == RACK else SwitchConfigHandler()
                before = was.get(layer, {}).get(name)
                if before is None:
                    await handler.create(name, resource.inputs, context)
                elif before.inputs != resource.inputs:
                    await handler.update(name, before.inputs, resource.inputs, context)


def _presses(lab: Lab) -> Counter[str]:
    """Machine -> how often it was started into the agent: once each to inspect, to clean and to deploy."""
    log = lab.home.path / "logs" / "physical.jsonl"
    lines = log.read_text().splitlines() if log.is_file() else []
    events = [json.loads(line) for line in lines]
    return Counter(event["machine"] for event in events if event["action"] == "media_insert")


async def _starts(project: Path, plan: RegionPlan) -> dict[str, int]:
    """`switch:port` -> how often its session has come up, of those that are up."""
    inputs = switch_group_inputs(plan)
    ssh = inputs["ssh"]
    access = SshAccess.from_references(
        project, user=ssh["user"], private_key=ssh["private_key"], known_hosts=ssh["known_hosts"]
    )
    found: dict[str, int] = {}
    for name, switch in inputs["switches"].items():
        connection = FrrSwitch(name, switch["address"], access)
        try:
            look = await connection.look()
        finally:
            await connection.close()
        found |= {f"{name}:{port}": s.starts for port, s in look.sessions.items() if s.is_up}
    return found


def _sessions(plan: RegionPlan) -> dict[str, str]:
    """Either end of a session -> its name: both ends fall together."""
    switches = switch_group_inputs(plan)["switches"]
    ends = {f"{name}:{port}": ":".join(far) for name, s in switches.items() for port, far in s["peers"].items()}
    return {end: " - ".join(sorted((end, far))) for end, far in ends.items()}


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """One step."""
    project, step = Path(sys.argv[1]), sys.argv[2]
    secrets = project / ".lab" / "secrets"
    if not (secrets / "bmc2.json").exists():
        shutil.copy(secrets / "bmc.json", secrets / "bmc2.json")
    print(json.dumps(asyncio.run(act(project, step))))


if __name__ == "__main__":
    main()
