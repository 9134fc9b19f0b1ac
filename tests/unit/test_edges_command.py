"""`region edges`: what people and programs are told of each edge, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from components.clients.ssh import SshError
from components.errors import Problem
from components.plan.edges import SteeringPlan
from components.plan.edges.model import NameServerPlan
from stacks.cli import output
from stacks.cli.main import app
from tests.edge_world import all_regions, plan_of, project, steering_of


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> SteeringPlan:
    folder = project(tmp_path_factory.mktemp("edges"))
    return plan_of(steering_of(folder), all_regions(folder))


@pytest.fixture
def down(plan: SteeringPlan, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Edges that no name server gets an answer from; `ns2` among them is a name server that is silent."""
    regions: set[str] = set()

    async def states(server: NameServerPlan, command: str) -> str:
        if server.name in regions:
            raise SshError("ns2 gives no answer", [Problem(path=server.address, message="gives no answer")])
        pools = [pool for pool in plan.pools if pool.sovereignty in server.classes]
        told = {f"geoip/{p.name}/{r}": {"state": "NA", "real_state": "NA"} for p in pools for r in p.regions}
        for edge in plan.edges:
            state = "DOWN" if edge.region in regions else "UP"
            told[f"{edge.address}/edge"] = {"state": state, "real_state": state}
        return json.dumps(told)

    monkeypatch.setattr("stacks.steering.load_plan", lambda: plan)
    monkeypatch.setattr("stacks.cli.edges.states_of", states)
    return regions


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A screen on which no cell of a table is broken, wherever the tests run."""
    monkeypatch.setattr(output, "people", Console(stderr=True, width=200))


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["edges", *words])


def told(result: Result) -> dict[str, Any]:
    (line,) = [each for each in map(json.loads, result.stdout.splitlines()) if each["kind"] == "edges"]
    return {edge["region"]: edge for edge in line["edges"]}


def test_programs_are_told_who_is_sent_where_and_what_each_name_server_sees(down: set[str]) -> None:
    result = run("--json")
    assert result.exit_code == 0, result.output
    tokyo = told(result)["tokyo"]
    assert tokyo["hosts"] == ["near.shop.global.serve.internal"]
    assert tokyo["first_for"] == ["tokyo"]
    assert tokyo["seen"] == {"ns1": "UP", "ns2": "UP", "ns3": "UP"}


def test_an_edge_that_is_down_is_a_failure_with_its_runbook(down: set[str]) -> None:
    down.add("tokyo")
    result = run()
    assert result.exit_code == 1
    assert "ns1 DOWN, ns2 DOWN, ns3 DOWN" in result.output
    assert "docs/runbooks/EdgeUnhealthy.md" in result.output


def test_a_name_server_that_cannot_be_asked_is_a_failure_and_the_others_are_asked(down: set[str]) -> None:
    down.add("ns2")
    result = run("--json")
    assert result.exit_code == 1
    assert set(told(result)["tokyo"]["seen"]) == {"ns1", "ns3"}


def test_without_the_check_nobody_is_asked(down: set[str]) -> None:
    down.add("tokyo")
    result = run("--no-check", "--json")
    assert result.exit_code == 0
    assert told(result)["tokyo"]["seen"] == {}


def test_no_answer_is_taken_without_a_pinned_key(
    plan: SteeringPlan, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("stacks.steering.load_plan", lambda: plan)
    monkeypatch.setattr("stacks.cli.edges.ROOT", tmp_path)
    result = run()
    assert result.exit_code == 1
    assert ".region/" in result.output, "what is missing"
