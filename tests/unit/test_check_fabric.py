"""How the answers of switches are judged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.checks.fabric import judge
from components.checks.result import CheckResult, Status
from components.clients.switch import Survey
from components.engine.switch import Checked, Desired, Look, Pending, Session
from components.plan.frr import switch_config
from components.plan.model import RegionPlan

LEAF = "lab-leaf1"
UP = Session(state="Established", starts=1, uptime_ms=60_000, prefixes=3)
ECMP = {"dst": "10.255.0.4", "nexthops": [{"dev": "swp51"}, {"dev": "swp52"}]}


@pytest.fixture
def healthy(lab_plan: RegionPlan) -> Survey:
    """The survey of lab-leaf1 as planned, with hosts running."""
    switch = next(s for s in lab_plan.fabric.switches if s.name == LEAF)
    planned = Desired(config=switch_config(switch, lab_plan))
    ports = [p.name for p in switch.ports if p.peer_kind != "edge"]
    look = Look(sessions=dict.fromkeys(ports, UP), bfd=dict.fromkeys(ports, "up"))
    checked = Checked(
        pending=None,
        accepted_sha256=planned.sha256,
        look=look,
        delta=(),
        drift=(),
        running="",
        fresh=False,
        rewrite=False,
    )
    return Survey(checked=checked, look=look, startup_sha256=planned.sha256, routes=(ECMP,))


def judged(plan: RegionPlan, survey: Survey, *, hosts_up: bool = True) -> dict[str, CheckResult]:
    switch = next(s for s in plan.fabric.switches if s.name == LEAF)
    planned = Desired(config=switch_config(switch, plan))
    results = judge(switch, plan, planned, survey, hosts_up=hosts_up)
    for result in results:
        assert (result.remedy is None) == (result.status is Status.OK), f"{result.name}: a fault has a remedy"
    return {r.name.split(".")[1]: r for r in results}


def failing(plan: RegionPlan, survey: Survey, *, hosts_up: bool = True) -> dict[str, str]:
    found = judged(plan, survey, hosts_up=hosts_up)
    return {name: r.found for name, r in found.items() if r.status is Status.FAIL}


def seen(survey: Survey, **fields: Any) -> Survey:
    return replace(survey, look=replace(survey.look, **fields))


def checked(survey: Survey, **fields: Any) -> Survey:
    return replace(survey, checked=replace(survey.checked, **fields))


def test_all_as_planned_is_ok(lab_plan: RegionPlan, healthy: Survey) -> None:
    assert set(judged(lab_plan, healthy)) == {"ssh", "bgp", "bfd", "ecmp", "config"}
    assert not failing(lab_plan, healthy)


def test_a_session_that_is_down_is_named_with_its_peer(lab_plan: RegionPlan, healthy: Survey) -> None:
    down = seen(healthy, sessions={**healthy.look.sessions, "swp51": Session(state="Active")})
    assert failing(lab_plan, down) == {"bgp": "swp51 to lab-spine1 is Active"}


def test_bfd_counts_where_bgp_is_up(lab_plan: RegionPlan, healthy: Survey) -> None:
    one_sided = seen(healthy, bfd={k: v for k, v in healthy.look.bfd.items() if k != "swp52"})
    assert failing(lab_plan, one_sided) == {"bfd": "swp52 to lab-spine2 is absent"}


def test_hosts_count_when_they_are_expected_and_spares_never(lab_plan: RegionPlan, healthy: Survey) -> None:
    spines = {"swp51": UP, "swp52": UP}
    alone = seen(healthy, sessions=spines)
    assert not failing(lab_plan, alone, hosts_up=False)
    found = failing(lab_plan, alone)["bgp"]
    assert "swp1 to lab-r01-t01 is absent" in found
    assert "lab-r01-t04" not in found


@pytest.mark.parametrize("routes", [(), ({"dst": "10.255.0.4", "gateway": "169.254.0.1", "dev": "swp51"},)])
def test_paths_are_counted_in_the_kernel(lab_plan: RegionPlan, healthy: Survey, routes: Any) -> None:
    found = failing(lab_plan, replace(healthy, routes=routes))
    assert found == {"ecmp": f"{len(routes)} next hops to lab-leaf2 (10.255.0.4)"}


def test_drift_tells_what_somebody_did(lab_plan: RegionPlan, healthy: Survey) -> None:
    lines = ("- no ip route 10.9.0.0/16 blackhole",)
    found = failing(lab_plan, checked(healthy, delta=lines, drift=lines))
    assert found["config"] == "by hand: added `ip route 10.9.0.0/16 blackhole`"


def test_a_planned_change_that_was_not_applied_is_no_drift(lab_plan: RegionPlan, healthy: Survey) -> None:
    found = failing(lab_plan, checked(healthy, delta=("+ router bgp 1 / neighbor swp9 bfd",)))
    assert found["config"] == "not as planned: + router bgp 1 / neighbor swp9 bfd"


def test_a_reboot_that_would_bring_back_another_configuration_is_told(lab_plan: RegionPlan, healthy: Survey) -> None:
    assert "a reboot would bring it back" in failing(lab_plan, replace(healthy, startup_sha256="0"))["config"]


def test_a_switch_from_the_factory_is_told_so(lab_plan: RegionPlan, healthy: Survey) -> None:
    fresh = checked(healthy, fresh=True, delta=("+ router bgp 65103",))
    assert "never configured" in failing(lab_plan, fresh)["config"]


def test_a_commit_that_waits_is_told(lab_plan: RegionPlan, healthy: Survey) -> None:
    pending = Pending(
        id="c1", owner="lab/fabric", candidate_sha256="", remaining_s=42, before=healthy.look, previous=""
    )
    assert "commit c1 waits 42 s" in failing(lab_plan, checked(healthy, pending=pending))["config"]
