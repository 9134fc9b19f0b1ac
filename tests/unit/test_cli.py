"""The command line: order of layers, what people and machines are shown, exit codes."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest
from pulumi import automation
from typer.testing import CliRunner

from components.engine.lock import RunLock
from components.errors import DeviceError, RegionError, SpecError
from stacks import project
from stacks.cli import layers as layers_module
from stacks.cli import main as cli
from stacks.cli import surroundings
from stacks.cli.environment import pulumi_environment
from stacks.cli.layers import Operation, Phase, State, raise_for_failures, run_layers
from stacks.project import LAYERS, StackName


@pytest.fixture(autouse=True)
def engine_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests stand in for the engine, so they need none on this machine."""
    monkeypatch.setattr(layers_module, "use_pulumi", lambda: os.environ.update(pulumi_environment()))


class Runs:
    """Stands in for Pulumi: remembers what ran, and with what before it."""

    def __init__(self, failing: frozenset[str] = frozenset()) -> None:
        self.ended: list[str] = []
        self.before: dict[str, set[str]] = {}
        self.variables: dict[str, dict[str, str]] = {}
        self._failing, self._lock = failing, threading.Lock()

    def __call__(
        self,
        region: str,
        phase: Phase,
        operation: Operation,
        report: layers_module.Report,
        variables: Mapping[str, str],
    ) -> None:
        self.variables[phase.layer] = dict(variables)
        with self._lock:
            self.before[phase.layer] = set(self.ended)
        phase.state = State.FAILED if phase.layer in self._failing else State.DONE
        report(phase)
        with self._lock:
            self.ended.append(phase.layer)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The operator's state of the test's own: the real one may be in use."""
    monkeypatch.setattr(surroundings, "state_folder", lambda region: tmp_path / region)  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]
    monkeypatch.setattr(surroundings, "LOCK_WAIT_S", 0)
    return tmp_path


def no_stacks(region: str) -> None:
    """Stands in for making the stacks of a region."""


def run(
    monkeypatch: pytest.MonkeyPatch,
    operation: Operation,
    failing: frozenset[str] = frozenset(),
    layers: tuple[str, ...] = LAYERS,
) -> tuple[Runs, dict[str, State]]:
    runs = Runs(failing)
    monkeypatch.setattr(layers_module, "run_layer", runs)
    monkeypatch.setattr(layers_module, "_create_stacks", no_stacks)
    phases = run_layers("lab", layers, operation, lambda _: None)
    return runs, {p.layer: p.state for p in phases}


def test_a_layer_runs_after_the_layers_that_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    runs, _ = run(monkeypatch, Operation.UP)
    assert {"fabric", "substrate"} <= runs.before["cluster"]
    assert "cluster" in runs.before["runtime"]


def test_a_region_is_taken_down_last_layer_first(monkeypatch: pytest.MonkeyPatch) -> None:
    runs, _ = run(monkeypatch, Operation.DESTROY)
    assert (
        runs.ended.index("runtime")
        < runs.ended.index("cluster")
        < min(runs.ended.index("fabric"), runs.ended.index("substrate"))
    )


def test_a_failed_layer_stops_only_those_that_need_it(monkeypatch: pytest.MonkeyPatch) -> None:
    runs, states = run(monkeypatch, Operation.UP, frozenset({"fabric"}))
    assert states == {
        "fabric": State.FAILED,
        "substrate": State.DONE,
        "cluster": State.SKIPPED,
        "runtime": State.SKIPPED,
    }
    assert "substrate" in runs.ended


UNREACHABLE = "PULUMI_K8S_DELETE_UNREACHABLE"


def test_a_dead_api_server_stops_nothing_when_its_machines_go_too(monkeypatch: pytest.MonkeyPatch) -> None:
    runs, _ = run(monkeypatch, Operation.DESTROY)
    assert {layer for layer, given in runs.variables.items() if given == {UNREACHABLE: "true"}} == {
        "cluster",
        "runtime",
    }


@pytest.mark.parametrize(
    ("operation", "layers"),
    [(Operation.UP, LAYERS), (Operation.DESTROY, ("runtime", "cluster")), (Operation.DESTROY, ("runtime",))],
)
def test_objects_of_a_cluster_that_stays_are_not_forgotten(
    operation: Operation, layers: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, _ = run(monkeypatch, operation, layers=layers)
    assert all(given == {} for given in runs.variables.values())


def test_what_is_set_for_one_layer_reaches_its_pulumi_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Mapping[str, str] | None] = {}

    class Stack:
        def destroy(self, **_: object) -> None:
            """Nothing to be taken down."""

    def select(name: str, *, work_dir: str, opts: automation.LocalWorkspaceOptions) -> Stack:
        given[name] = opts.env_vars
        return Stack()

    monkeypatch.setattr(automation, "select_stack", select)
    monkeypatch.setattr(layers_module, "_create_stacks", no_stacks)
    phases = run_layers("lab", LAYERS, Operation.DESTROY, lambda _: None)
    assert [p.error for p in phases] == [""] * len(LAYERS)
    assert given == {
        "lab.fabric": {},
        "lab.substrate": {},
        "lab.cluster": {UNREACHABLE: "true"},
        "lab.runtime": {UNREACHABLE: "true"},
    }
    assert UNREACHABLE not in os.environ


@pytest.mark.parametrize("operation", [Operation.UP, Operation.DESTROY])
def test_a_second_run_on_a_region_is_refused_with_the_name_of_the_first(
    operation: Operation, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (state / "lab").mkdir()
    first = RunLock.acquire(state / "lab" / "run.lock", wait_s=0)
    with pytest.raises(RegionError, match=f"process {os.getpid()}, started"):
        run(monkeypatch, operation)
    run(monkeypatch, Operation.PREVIEW)  # touches nothing, so it waits for nobody
    first.release()
    run(monkeypatch, operation)


def test_the_lock_is_held_while_any_layer_runs(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused: list[str] = []

    def second(region: str, phase: Phase, *_: object) -> None:
        try:
            RunLock.acquire(state / region / "run.lock", wait_s=0)
        except RegionError:
            refused.append(phase.layer)
        phase.state = State.DONE

    monkeypatch.setattr(layers_module, "run_layer", second)
    monkeypatch.setattr(layers_module, "_create_stacks", no_stacks)
    run_layers("lab", LAYERS, Operation.UP, lambda _: None)
    assert sorted(refused) == sorted(LAYERS)


def test_what_programs_leave_in_their_temporary_directory_goes_with_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[Path] = []

    def leave_a_key(
        region: str,
        phase: Phase,
        operation: Operation,
        report: layers_module.Report,
        variables: Mapping[str, str],
    ) -> None:
        left.append(Path(os.environ["TMPDIR"]) / "kubeconfig")
        left[-1].write_text("key")
        phase.state = State.DONE

    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(layers_module, "run_layer", leave_a_key)
    monkeypatch.setattr(layers_module, "_create_stacks", no_stacks)
    run_layers("lab", LAYERS, Operation.UP, lambda _: None)
    assert len(left) == len(LAYERS)
    assert not any(path.exists() for path in left)
    assert "TMPDIR" not in os.environ


def test_a_failure_names_the_layer_and_its_runbook() -> None:
    with pytest.raises(DeviceError) as caught:
        raise_for_failures([Phase("fabric", State.FAILED, error="lab-leaf1 does not answer")])
    assert "fabric: lab-leaf1 does not answer" in str(caught.value)
    assert "docs/runbooks/BgpSessionDown.md" in str(caught.value)


def test_a_stack_that_is_no_layer_of_a_region_is_refused() -> None:
    assert str(StackName.parse("lab.fabric")) == "lab.fabric"
    with pytest.raises(RegionError, match=r"<region>.fabric"):
        StackName.parse("lab")


def test_an_unknown_region_is_named_with_those_that_exist(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["region", "show", "atlantis", "--json"])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 2
    said = json.loads(capsys.readouterr().out)
    assert said["kind"] == "error"
    assert said["problems"][0]["found"] == "atlantis"
    assert "lab" in said["problems"][0]["allowed"]


def test_the_wiring_is_exported_before_anything_is_published() -> None:
    done = CliRunner().invoke(cli.app, ["export", "lab", "wiring"])
    assert done.exit_code == 0, done.output
    assert [m["name"] for m in json.loads(done.stdout)["machines"]] == [f"lab-r01-t0{slot}" for slot in (1, 2, 3, 4)]


@pytest.mark.parametrize("what", ["region", "racks", "sources.yaml"])
def test_editors_get_a_schema_of_every_kind_of_file(what: str) -> None:
    done = CliRunner().invoke(cli.app, ["schema", what])
    assert json.loads(done.stdout)["$schema"].startswith("https://json-schema.org/")
    assert CliRunner().invoke(cli.app, ["schema", "spells"]).exit_code == 2


def test_a_forgotten_region_leaves_no_settings_of_stacks_whose_state_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Workspace:
        def __init__(self, work_dir: str) -> None:
            pass

        def list_stacks(self) -> list[automation.StackSummary]:
            return []

    monkeypatch.setattr(layers_module, "ROOT", tmp_path)
    monkeypatch.setattr(layers_module, "alone", lambda _region: contextlib.nullcontext())  # type: ignore[misc]
    monkeypatch.setattr(automation, "LocalWorkspace", Workspace)
    for name in ("Pulumi.lab.fabric.yaml", "Pulumi.paris.fabric.yaml", "Pulumi.yaml"):
        (tmp_path / name).write_text("encryptionsalt: v1:of-a-passphrase-that-is-gone\n")
    assert layers_module.forget_stacks("lab") == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Pulumi.paris.fabric.yaml", "Pulumi.yaml"]


def test_a_region_is_not_forgotten_while_here_alone_is_what_opens_its_bmcs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project, "ROOT", tmp_path)
    monkeypatch.setattr(cli, "forget_stacks", lambda _region: pytest.fail("nothing may be removed"))  # type: ignore[misc]
    logins = project.bring_up_folder("essonne") / "passwords" / "ess-r001.json"
    logins.parent.mkdir(parents=True)
    logins.write_text("{}")
    refused = CliRunner().invoke(cli.app, ["forget", "essonne", "--yes"])
    assert isinstance(refused.exception, SpecError)
    (problem,) = refused.exception.problems
    assert problem.path == str(logins)
    assert "move" in (problem.remedy or "")
    assert logins.is_file()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--racks", "3"], 2, "give --fleet too"),
        (["--fleet", "sim:x.yaml", "--layer", "fabric"], 2, "comes before all layers"),
    ],
)
def test_options_of_a_simulated_fleet_are_refused_where_they_mean_nothing(
    words: list[str], code: int, said: str
) -> None:
    done = CliRunner().invoke(cli.app, ["up", "essonne", *words])
    assert done.exit_code == code
    assert said in " ".join(done.output.replace("│", " ").split())


@pytest.mark.parametrize("fleet", ["sim:missing.yaml", "real:rack.yaml"])
def test_a_fleet_that_is_none_is_refused_before_anything_is_made(fleet: str) -> None:
    done = CliRunner().invoke(cli.app, ["up", "essonne", "--fleet", fleet])
    assert isinstance(done.exception, RegionError)
    assert done.exception.exit_code == 2
    assert "sim:SCENARIO.yaml" in str(done.exception)
