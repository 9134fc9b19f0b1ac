"""`region preview`, `region diff` and `region up --plan`, without Pulumi: what is shown, saved, kept to and refused."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner, Result

from components.clients.approval import VARIABLE, approval_of
from components.clients.git import unpack
from components.clients.kubernetes import KubernetesError
from components.errors import Problem, SpecError
from components.plan import RegionPlan
from components.plan.resources import rack_inputs, switch_group_inputs
from components.spec import Region
from components.spec.artifacts import load as load_artifacts
from components.spec.recorded import compact
from stacks import description
from stacks.cli import costs, preview_run
from stacks.cli import main as cli
from stacks.cli import preview as preview_command
from stacks.cli import up as up_command
from stacks.cli.layers import Operation, Phase, State
from stacks.cli.preview_json import document_schema
from stacks.project import ROOT
from stacks.snapshots import Recorded, read_exports
from tests.regions import ARTIFACTS, Edit
from tests.scenarios import LAB, write
from tests.unit.test_recorded_description import APPLIED, RACK, SWITCHES, checkpoint

SCHEMA = ROOT / "docs" / "reference" / "preview.schema.json"


class Pulumi:
    """Stands in for the engine: remembers what it was asked, and writes plans."""

    def __init__(self) -> None:
        self.runs: list[tuple[Operation, tuple[str, ...]]] = []
        self.variables: Mapping[str, str] = {}
        self.plans: dict[str, str] = {}
        self.failing: set[str] = set()

    def __call__(
        self,
        region: str,
        layers: tuple[str, ...],
        operation: Operation,
        report: object,
        *,
        plans: Mapping[str, Path] = {},
        variables: Mapping[str, str] = {},
    ) -> list[Phase]:
        self.runs.append((operation, layers))
        self.variables = variables
        for layer, path in plans.items():
            if operation is Operation.PREVIEW:
                path.write_text(f"plan of {layer}")
            else:
                self.plans[layer] = path.read_text()
        return [
            Phase(layer, State.FAILED, error="it broke")
            if layer in self.failing
            else Phase(layer, State.DONE, changes={"update": 1}, details=[f"update {layer}"])
            for layer in layers
        ]


@pytest.fixture
def pulumi(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Pulumi:
    """Commands without an engine, without recorded state, and with the published images of the fixtures."""
    engine = Pulumi()
    for module in (preview_command, up_command):
        monkeypatch.setattr(module, "run_layers", engine)
    monkeypatch.setattr(preview_run, "use_pulumi", lambda: None)
    for cluster_step in ("wake_those_to_change", "roll_out"):
        monkeypatch.setattr(up_command, cluster_step, lambda *_: None)  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]
    remember(monkeypatch, Recorded())
    monkeypatch.setattr(description, "reference_path", lambda project, reference: ARTIFACTS)  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]
    monkeypatch.setattr(costs, "state_folder", lambda region=None: tmp_path / "state")  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]
    return engine


def remember(monkeypatch: pytest.MonkeyPatch, recorded: Recorded) -> None:
    monkeypatch.setattr(preview_run, "recorded", lambda region: recorded)  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]


@pytest.fixture
def in_service(lab_region: Region, lab_plan: RegionPlan) -> Recorded:
    """The lab as its first two layers recorded it, with another machine in one place."""
    text = compact(lab_region, load_artifacts(ARTIFACTS))
    nothing: dict[str, Any] = {}
    note = (APPLIED, "any", nothing, {"description": text})
    inputs = rack_inputs(lab_plan, lab_plan.racks[0])
    inputs["trays"]["lab-r01-t02"] = {**inputs["trays"]["lab-r01-t02"], "serial": "LABR01T99"}
    return read_exports(
        {
            "fabric": checkpoint((SWITCHES, "lab-switches", switch_group_inputs(lab_plan), {}), note),
            "substrate": checkpoint((RACK, "lab-r01", inputs, {}), note),
        }
    )


def run(*words: str) -> Result:
    return CliRunner().invoke(cli.app, list(words))


def test_a_preview_shows_the_consequences_and_each_layer(pulumi: Pulumi) -> None:
    done = run("preview", "lab")
    assert done.exit_code == 0, done.output
    assert pulumi.runs == [(Operation.PREVIEW, ("fabric", "substrate", "cluster", "runtime"))]
    assert "4 machines that are not in service are wiped" in done.output
    assert "update substrate" in done.output


def test_the_comment_is_markdown_on_standard_output(pulumi: Pulumi) -> None:
    done = run("preview", "lab", "--format", "markdown")
    assert done.stdout.startswith("### lab: all of it is new\n")
    assert "| substrate | 1 update |" in done.stdout


def test_the_json_keeps_to_its_schema(pulumi: Pulumi) -> None:
    done = run("preview", "lab", "--format", "json")
    found = json.loads(done.stdout)
    jsonschema.validate(found, json.loads(SCHEMA.read_text()))
    assert found["schema"] == 1
    assert found["consequences"]["actions"][0]["danger"] == "wiped"
    assert found["layers"][1]["details"] == ["update substrate"]


def test_the_schema_is_of_what_is_printed() -> None:
    assert json.loads(SCHEMA.read_text()) == document_schema(), "make docs"


def test_a_layer_that_fails_is_shown_and_ends_with_the_code_of_a_device(pulumi: Pulumi, tmp_path: Path) -> None:
    pulumi.failing = {"cluster"}
    done = run("preview", "lab", "--format", "markdown", "--save", str(tmp_path / "plan.json"))
    assert "**cluster cannot be previewed:**" in done.stdout
    assert done.exit_code != 0
    assert not (tmp_path / "plan.json").exists(), "half a plan is none"


def test_one_layer_leaves_the_others_as_they_are_recorded(
    pulumi: Pulumi, monkeypatch: pytest.MonkeyPatch, in_service: Recorded
) -> None:
    remember(monkeypatch, in_service)
    done = run("preview", "lab", "--layer", "fabric", "--format", "json")
    assert json.loads(done.stdout)["consequences"]["actions"] == []
    done = run("preview", "lab", "--layer", "substrate", "--format", "json")
    assert {action["layer"] for action in json.loads(done.stdout)["consequences"]["actions"]} == {"substrate"}


# Plans


def saved(tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    done = run("preview", "lab", "--save", str(path))
    assert done.exit_code == 0, done.output
    return path


def test_up_does_a_saved_plan_and_holds_pulumi_and_the_provider_to_it(
    pulumi: Pulumi, monkeypatch: pytest.MonkeyPatch, in_service: Recorded, tmp_path: Path
) -> None:
    remember(monkeypatch, in_service)
    path = saved(tmp_path)
    listed = json.loads(path.read_text())["actions"]
    assert ("lab-r01-t02", "undeploy", "host-lost") in {(a["target"], a["kind"], a["danger"]) for a in listed}
    done = run("up", "lab", "--plan", str(path))
    assert done.exit_code == 0, done.output
    assert pulumi.runs[-1][0] is Operation.UP
    assert pulumi.variables == {VARIABLE: str(path)}
    assert approval_of(pulumi.variables) is not None
    assert set(pulumi.plans) == {"fabric", "substrate"}, "what the substrate hands over is known when it is up"


def test_up_refuses_and_names_what_differs(
    pulumi: Pulumi, monkeypatch: pytest.MonkeyPatch, in_service: Recorded, tmp_path: Path
) -> None:
    path = saved(tmp_path)
    remember(monkeypatch, in_service)
    done = run("up", "lab", "--plan", str(path))
    assert isinstance(done.exception, SpecError)
    text = str(done.exception)
    assert "what would be done is not what was approved" in text
    assert "lab-r01-t02: this action is not in the plan" in text
    assert "substrate: undeploy lab-r01-t02: another machine" in text
    assert "lab-r01-t01: this action is in the plan only" in text
    assert [operation for operation, _ in pulumi.runs] == [Operation.PREVIEW], "nothing has been touched"


def test_up_refuses_a_plan_of_another_description(pulumi: Pulumi, tmp_path: Path) -> None:
    path = saved(tmp_path)
    plan = json.loads(path.read_text())
    path.write_text(json.dumps({**plan, "description": "0" * 64}))
    done = run("up", "lab", "--plan", str(path))
    assert isinstance(done.exception, SpecError)
    assert "description" in str(done.exception)


@pytest.mark.parametrize("content", ["", "{}", '{"schema": 2}'])
def test_up_refuses_what_is_no_plan(pulumi: Pulumi, tmp_path: Path, content: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(content)
    done = run("up", "lab", "--plan", str(path))
    assert isinstance(done.exception, SpecError)
    assert "this is no plan" in str(done.exception)
    assert pulumi.runs == []


def test_up_refuses_a_region_that_is_provisional(pulumi: Pulumi) -> None:
    done = run("up", "sweden")
    assert isinstance(done.exception, SpecError)
    assert "it is provisional" in str(done.exception)
    assert pulumi.runs == []


def test_a_region_whose_images_are_not_published_is_previewed_and_not_brought_up(
    pulumi: Pulumi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(description, "reference_path", lambda project, reference: tmp_path / "none.json")  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]
    done = run("preview", "lab", "--format", "markdown")
    assert "> Its images are not published" in done.stdout
    done = run("up", "lab")
    assert isinstance(done.exception, SpecError)
    assert "there is no artifact index" in str(done.exception)


# Two versions


def test_two_versions_are_compared_without_any_state(pulumi: Pulumi, tmp_path: Path) -> None:
    other = write(tmp_path / "other", LAB, [Edit("tenants/demo.yaml", "gpus: 4}", "gpus: 2}")])
    done = run("preview", "lab", "--against", str(other), "--format", "markdown")
    assert done.exit_code == 0, done.output
    assert "Tenant tenant-demo: quota of GPUs changes from 2 to 4" in done.stdout
    assert pulumi.runs == []
    assert run("diff", "lab", "--against", str(other), "--format", "markdown").stdout == done.stdout


def test_a_region_that_was_not_there_is_all_new(pulumi: Pulumi, tmp_path: Path) -> None:
    (tmp_path / "empty" / "stacks" / "regions").mkdir(parents=True)
    done = run("diff", "lab", "--against", str(tmp_path / "empty"), "--format", "markdown")
    assert done.stdout.startswith("### lab: all of it is new\n")


def test_the_past_is_not_held_to_the_rules_of_today(pulumi: Pulumi, tmp_path: Path) -> None:
    other = write(tmp_path / "other", LAB, [Edit("cluster.yaml", "nvidia: 580.126.20", "nvidia: 570.0.0")])
    done = run("diff", "lab", "--against", str(other), "--format", "markdown")
    assert "nvidia_driver_version changes from 570.0.0 to 580.126.20" in done.stdout


def test_two_regions_are_compared(pulumi: Pulumi) -> None:
    done = run("diff", "lab", "paris", "--format", "markdown")
    assert done.exit_code == 0, done.output
    assert "Compared with the description of lab" in done.stdout


def test_one_side_is_no_comparison(pulumi: Pulumi) -> None:
    done = run("diff", "lab")
    assert isinstance(done.exception, SpecError)


def test_a_tree_is_taken_from_a_commit(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        named = ("-c", "user.name=t", "-c", "user.email=t@example.org")
        subprocess.run(["git", "-C", str(tmp_path / "r"), *named, *words], check=True, capture_output=True)

    (tmp_path / "r" / "a").mkdir(parents=True)
    (tmp_path / "r" / "a" / "x.yaml").write_text("x: 1\n")
    (tmp_path / "r" / "b.txt").write_text("b\n")
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "one")
    (tmp_path / "r" / "a" / "x.yaml").write_text("x: 2\n")
    unpack(tmp_path / "r", "HEAD", ("a", "missing"), tmp_path / "out")
    assert (tmp_path / "out" / "a" / "x.yaml").read_text() == "x: 1\n"
    assert not (tmp_path / "out" / "b.txt").exists()
    with pytest.raises(SpecError, match="git knows no such commit"):
        unpack(tmp_path / "r", "nowhere", ("a",), tmp_path / "out")


def test_what_an_index_lacks_is_pending_in_a_preview_and_refused_by_up(pulumi: Pulumi) -> None:
    done = run("preview", "paris", "--format", "markdown")
    assert "> The artifact index lacks " in done.stdout
    done = run("up", "paris")
    assert isinstance(done.exception, SpecError)
    assert "the artifact index lacks" in str(done.exception)


@pytest.mark.parametrize(
    ("changes", "says"), [({"same": 5}, "region forget lab"), ({"create": 5}, "the pods are away")]
)
def test_layers_that_are_recorded_as_up_and_answer_nobody_are_told_as_what_they_are(
    changes: dict[str, int], says: str, pulumi: Pulumi, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*_: object) -> None:
        raise KubernetesError("the cluster does not answer", [Problem(path="api", message="the pods are away")])

    def layers(_: str, names: tuple[str, ...], *__: object, **___: object) -> list[Phase]:
        return [Phase(name, State.UNCHANGED, changes=changes) for name in names]

    monkeypatch.setattr(up_command, "run_layers", layers)
    monkeypatch.setattr(up_command, "roll_out", silent)
    refused = run("up", "lab").exception
    assert isinstance(refused, KubernetesError)
    assert refused.exit_code == 3
    assert says in str(refused)
    assert "the pods are away" in str(refused)
