"""A plan saved, approved and done, by the real engine on real switches and machines of a bench.

The tests are the steps of one story, in this order: first brought up by a plan, nothing to do, a change by a
plan, and a plan that no longer fits.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from components.engine.journal import Journal
from components.plan.pending import pending_index
from lab.home import Home
from lab.images import deploy_image, ramdisk
from stacks.cli.environment import search_path
from tests.integration.bench import Bench, bench
from tests.regions import ROOT, lab

pytestmark = [
    pytest.mark.integration,
    pytest.mark.nightly,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(not (ROOT / ".tools/bin/pulumi").exists(), reason="needs the pinned tools: make tools"),
]

WIRING = ROOT / "tests" / "golden" / "lab" / "wiring.json"
PARTS = ("switch", "limits", "bmc", "ironic", "web")
LAYERS = ("--layer", "fabric", "--layer", "substrate")
COPIED = ("stacks", "components", "playbooks", "Pulumi.yaml", "pyproject.toml")
OF_A_RUN = ("confirm", "power-off")
RUN_S = 1000


@dataclass(frozen=True)
class Operator:
    """A project of one's own whose lab is the one on the bench."""

    on: Bench
    project: Path

    def region(self, *words: str, code: int = 0) -> str:
        """Output of the command, errors in it."""
        return self.run("region", *words, code=code)

    def run(self, *argv: str, code: int) -> str:
        """Output of a program in the project, with a state backend of its own."""
        environment = {
            "PATH": os.pathsep.join([str(ROOT / ".venv/bin"), search_path()]),
            "PYTHONPATH": str(self.project),
            "PULUMI_HOME": str(self.project / "pulumi-home"),
            "COLUMNS": "300",
        }
        unset = (word for name in os.environ if name.startswith("PULUMI_") for word in ("-u", name))
        settings = (f"{name}={value}" for name, value in environment.items())
        return self.on.run("env", "-C", self.project, *unset, *settings, *argv, code=code, timeout_s=RUN_S)

    def change(self, file: str, old: str, new: str) -> None:
        path = self.project / "stacks/regions/lab" / file
        assert path.read_text().count(old) == 1
        path.write_text(path.read_text().replace(old, new))

    def save(self) -> dict[str, Any]:
        self.region("preview", "lab", *LAYERS, "--save", "plan.json")
        return cast("dict[str, Any]", json.loads((self.project / "plan.json").read_text()))

    def journal(self) -> list[str]:
        history = Journal.read_history(self.project / ".region/lab/journal.db", limit=10_000)
        return [f"{row.kind} {row.target}" for row in history if row.kind not in OF_A_RUN]


def listed(plan: dict[str, Any]) -> list[str]:
    return [f"{action['kind']} {action['target']}" for action in plan["actions"]]


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Generator[Operator]:
    """Nothing is up; the deploy image is published."""
    log = tmp_path_factory.mktemp("images") / "log"  # a bench has no way out to build them
    deploy_image.build(log)
    ramdisk.build(log)
    home, project = tmp_path_factory.mktemp("plans"), tmp_path_factory.mktemp("project") / "region"
    shutil.copy(WIRING, home / "wiring.json")
    project.mkdir()
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, project / name)
    for name in (".venv", ".tools"):
        (project / name).symlink_to(ROOT / name)
    (project / ".lab").symlink_to(home)
    with bench(home) as made:
        made.lab("up", *(word for part in PARTS for word in ("--only", part)))
        publish(home)
        yield Operator(made, project)


def publish(home: Path) -> None:
    """An artifact index in which only the deploy image is real: no other layer is brought up here."""
    at = json.loads((home / "wiring.json").read_text())["services"]
    found = deploy_image.publish(Home(path=home)).artifact(f"http://{at['address']}:{at['images']}")
    index = json.loads(pending_index(lab()).model_dump_json(by_alias=True))
    for image in index["deploy_images"].values():
        image.update(url=found["url"], sha256=found["sha256"], format=found["format"])
    (home / "artifacts.json").write_text(json.dumps(index))


def test_a_region_comes_up_by_its_plan(operator: Operator) -> None:
    plan = operator.save()
    assert "deploy lab-r01-t01" in listed(plan)
    assert set(plan["pulumi"]) == {"fabric", "substrate"}
    operator.region("up", "lab", *LAYERS, "--plan", "plan.json")
    assert sorted(operator.journal()) == sorted(listed(plan)), "each once, and no other"


def test_then_there_is_nothing_to_do_and_no_word_of_cables_or_power(operator: Operator) -> None:
    done = operator.journal()
    text = operator.region("preview", "lab", *LAYERS, "--format", "markdown")
    assert "### lab: nothing changes\n" in text
    assert "not recorded" not in text, "the description that was applied is known"
    measured = json.loads((operator.project / ".region/lab/durations.json").read_text())
    assert measured["bench"]["deploy"]["count"] == 3
    assert operator.journal() == done


def test_a_change_is_done_by_its_plan(operator: Operator) -> None:
    operator.change("network.yaml", "interval_ms: 100", "interval_ms: 200")
    before = operator.journal()
    plan = operator.save()
    assert sorted(listed(plan)) == [f"configure lab-{name}" for name in ("leaf1", "leaf2", "spine1", "spine2")]
    operator.region("up", "lab", *LAYERS, "--plan", "plan.json")
    after = operator.journal()
    assert sorted(after[: len(after) - len(before)]) == sorted(listed(plan))


def test_a_plan_that_no_longer_fits_is_refused_and_nothing_is_touched(operator: Operator) -> None:
    operator.change("racks.yaml", "slot: 4, role: spare", "slot: 4, role: gpu_worker")
    operator.save()
    operator.change("network.yaml", "interval_ms: 200", "interval_ms: 300")
    before = operator.journal()
    text = operator.region("up", "lab", *LAYERS, "--plan", "plan.json", code=2)
    assert "what would be done is not what was approved; nothing has been touched" in text
    assert "lab-spine1: this action is not in the plan" in text
    assert operator.journal() == before


def test_the_provider_refuses_what_was_struck_from_the_list(operator: Operator) -> None:
    """As if the comparison had been passed by: the list is held to by the provider alone, under plain Pulumi."""
    plan = operator.save()
    approved = [action for action in plan["actions"] if action["target"] != "lab-r01-t04"]
    (operator.project / "struck.json").write_text(json.dumps({**plan, "actions": approved}))
    before = operator.journal()
    pulumi = (
        'eval "$(region env)"; export GPUREGION_APPROVED=$PWD/struck.json;'
        " pulumi up -s lab.substrate --yes --skip-preview --non-interactive"
    )
    text = operator.run("sh", "-c", pulumi, code=1)
    assert "`deploy` is not in the approved plan" in text
    assert operator.journal() == before, "no intent was noted"
