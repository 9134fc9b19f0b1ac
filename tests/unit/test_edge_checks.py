"""What is said of name servers and edges, from what gdnsd tells."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from components.checks.edges import COMMAND, check_edges
from components.checks.result import CheckResult, Status
from components.plan.edges import SteeringPlan
from components.plan.edges.model import NameServerPlan
from tests.edge_world import all_regions, plan_of, project, steering_of

States = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> SteeringPlan:
    folder = project(tmp_path_factory.mktemp("edges"))
    return plan_of(steering_of(folder), all_regions(folder))


def well(plan: SteeringPlan, server: NameServerPlan) -> States:
    """What gdnsd 3.8.1 answers where all is as planned; the form is that of the real program."""
    pools = [pool for pool in plan.pools if pool.sovereignty in server.classes]
    states = {
        f"geoip/{pool.name}/{region}": {"state": "NA", "real_state": "NA"} for pool in pools for region in pool.regions
    }
    edges = {plan.edge(region).address for pool in pools for region in pool.regions}
    return states | {f"{address}/edge": {"state": "UP", "real_state": "UP"} for address in sorted(edges)}


async def results(plan: SteeringPlan, changes: States, *, silent: str = "") -> dict[str, CheckResult]:
    async def run(server: NameServerPlan, command: str) -> str:
        assert command == COMMAND
        if server.name == silent:
            raise ConnectionRefusedError("refused")
        states = well(plan, server)
        return json.dumps({key: changes.get(key, states[key]) for key in states} | changes)

    return {result.name: result for result in await check_edges(plan, run)}


async def test_all_is_well_where_each_server_sees_each_of_its_edges(plan: SteeringPlan) -> None:
    found = await results(plan, {})
    assert {result.status for result in found.values()} == {Status.OK}
    assert {f"edges.health.{region}.ns1" for region in ("paris", "essonne", "singapore", "tokyo")} <= found.keys()
    assert found["edges.server.ns1"].found == "3 pools"
    assert found["edges.server.ns3"].found == "2 pools", "outside the Union it holds no EU name"


async def test_an_edge_that_is_down_is_told_with_its_runbook(plan: SteeringPlan) -> None:
    down = {f"{plan.edge('tokyo').address}/edge": {"state": "DOWN", "real_state": "DOWN"}}
    found = await results(plan, down)
    failing = {name: result for name, result in found.items() if result.status is Status.FAIL}
    assert set(failing) == {f"edges.health.tokyo.{server}" for server in ("ns1", "ns2", "ns3")}
    remedy = failing["edges.health.tokyo.ns1"].remedy
    assert remedy and "docs/runbooks/EdgeUnhealthy.md" in remedy
    assert (Path(__file__).parents[2] / "docs/runbooks/EdgeUnhealthy.md").is_file()


async def test_an_edge_that_is_kept_out_by_hand_is_a_warning_and_no_failure(plan: SteeringPlan) -> None:
    forced = {f"{plan.edge('tokyo').address}/edge": {"state": "DOWN", "real_state": "UP"}}
    found = await results(plan, forced)
    assert found["edges.forced.ns1"].status is Status.WARN
    assert found["edges.health.tokyo.ns1"].status is Status.OK


async def test_a_server_with_another_configuration_is_told(plan: SteeringPlan) -> None:
    found = await results(plan, {"geoip/eu-essonne-paris/tokyo": {"state": "NA", "real_state": "NA"}})
    result = found["edges.server.ns1"]
    assert result.status is Status.FAIL
    assert result.found == "geoip/eu-essonne-paris/tokyo is not of the plan"


async def test_a_server_that_is_silent_does_not_hide_the_others(plan: SteeringPlan) -> None:
    found = await results(plan, {}, silent="ns2")
    assert found["edges.server.ns2"].status is Status.FAIL
    assert found["edges.server.ns2"].found == "refused"
    assert found["edges.server.ns1"].status is Status.OK
