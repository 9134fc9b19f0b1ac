"""Whether the fabric is as planned: sessions, BFD, paths in the kernels, configurations. Changes nothing.

Each switch is asked once, by the program that also applies configurations (it lies in the switch's volatile
memory). What is seen is judged by pure functions below.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from components.checks.result import CheckResult, Status
from components.clients.ssh import SshAccess
from components.clients.switch import FrrSwitch, Survey
from components.engine.switch import ESTABLISHED, RUNBOOK, Desired, SwitchUnreachableError
from components.engine.transaction_error import as_seen
from components.errors import DeviceError
from components.plan.fabric_model import PortPlan, SwitchPlan, SwitchRole
from components.plan.frr import switch_config
from components.plan.frr_sessions import has_bfd, without_secrets
from components.plan.model import RegionPlan

SHOWN_LINES = 6
_USER = "root"


async def check_fabric(plan: RegionPlan, project: Path, *, hosts_up: bool = False) -> list[CheckResult]:
    """All checks of all switches. `hosts_up`: sessions to deployed hosts are expected too. Raises SecretError."""
    access = SshAccess.from_references(
        project,
        user=_USER,
        private_key=plan.endpoints.credentials["ssh_key"],
        known_hosts=plan.endpoints.credentials["switch_known_hosts"],
    )
    results = await asyncio.gather(*(_check_switch(s, plan, access, hosts_up) for s in plan.fabric.switches))
    return [result for of_switch in results for result in of_switch]


async def _check_switch(switch: SwitchPlan, plan: RegionPlan, access: SshAccess, hosts_up: bool) -> list[CheckResult]:
    if switch.os != "frr":
        return [_not_read(switch)]
    planned = Desired(config=switch_config(switch, plan))
    client = FrrSwitch(switch.name, switch.oob_address, access)
    try:
        survey = await client.survey(planned.config)
    except DeviceError as error:
        return [_no_answer(switch, error)]
    finally:
        await client.close()
    return judge(switch, plan, planned, survey, hosts_up=hosts_up)


def _not_read(switch: SwitchPlan) -> CheckResult:
    return CheckResult(
        name=f"fabric.ssh.{switch.name}",
        status=Status.SKIP,
        expected="a switch whose system can be asked from here",
        found=f"{switch.os}, for which there is no adapter",
        remedy="compare it with what `region export` renders",
    )


def judge(
    switch: SwitchPlan, plan: RegionPlan, planned: Desired, survey: Survey, *, hosts_up: bool
) -> list[CheckResult]:
    """What the answer of one switch means; pure."""
    ports = expected_ports(switch, plan, hosts_up=hosts_up)
    results = [
        _result(f"fabric.ssh.{switch.name}", [], expected="answers with its pinned key", good="it does"),
        bgp_result(switch, ports, survey),
    ]
    if has_bfd(planned.config):
        results.append(bfd_result(switch, ports, survey))
    if switch.role is SwitchRole.LEAF:
        results.append(ecmp_result(switch, plan, survey.routes))
    results.append(config_result(switch, planned, survey))
    return results


def expected_ports(switch: SwitchPlan, plan: RegionPlan, *, hosts_up: bool) -> list[PortPlan]:
    """Ports whose session must be up: all between switches, and those to hosts that run."""
    running = {host.name for host in plan.deployed_hosts} if hosts_up else set[str]()
    return [
        p for p in switch.ports if p.peer_kind in ("spine", "leaf") or (p.peer_kind == "host" and p.peer in running)
    ]


def bgp_result(switch: SwitchPlan, ports: Iterable[PortPlan], survey: Survey) -> CheckResult:
    """Every expected session is Established."""
    sessions = survey.look.sessions
    states = {f"{p.name} to {p.peer}": sessions[p.name].state if p.name in sessions else "absent" for p in ports}
    return _result(
        f"fabric.bgp.{switch.name}",
        [f"{port} is {state}" for port, state in states.items() if state != ESTABLISHED],
        expected=f"{len(states)} sessions Established: {', '.join(states)}",
        good=f"{len(states)} of {len(states)}",
        remedy=f"see {RUNBOOK}",
    )


def bfd_result(switch: SwitchPlan, ports: Iterable[PortPlan], survey: Survey) -> CheckResult:
    """BFD watches every expected session: BGP comes up without it, and then a dead cable costs seconds."""
    states = {f"{p.name} to {p.peer}": survey.look.bfd.get(p.name, "absent") for p in ports}
    return _result(
        f"fabric.bfd.{switch.name}",
        [f"{port} is {state}" for port, state in states.items() if state != "up"],
        expected=f"{len(states)} BFD sessions up",
        good=f"{len(states)} of {len(states)}",
        remedy=f"BFD must be configured at both ends; see {RUNBOOK}",
    )


def ecmp_result(switch: SwitchPlan, plan: RegionPlan, routes: Iterable[Mapping[str, Any]]) -> CheckResult:
    """In the kernel, where packets go: FRR may show paths that the kernel has lost."""
    hops = {str(route["dst"]): len(route.get("nexthops") or [route]) for route in routes}
    spines = sum(port.peer_kind == "spine" for port in switch.ports)
    others = [s for s in plan.fabric.switches if s.role is SwitchRole.LEAF and s.name != switch.name]
    return _result(
        f"fabric.ecmp.{switch.name}",
        [
            f"{hops.get(leaf.loopback, 0)} next hops to {leaf.name} ({leaf.loopback})"
            for leaf in others
            if hops.get(leaf.loopback, 0) != spines
        ],
        expected=f"{spines} next hops in the kernel to each of {len(others)} other leaves, one by each spine",
        good=f"{spines} to each",
        remedy=f"compare `ip route` with `vtysh -c 'show ip route'` on {switch.name}; see {RUNBOOK}",
    )


def config_result(switch: SwitchPlan, planned: Desired, survey: Survey) -> CheckResult:
    """Running, startup and planned configuration are the same."""
    checked = survey.checked
    faults: list[str] = []
    remedy = "region up: it applies what differs"
    if checked.pending:
        faults.append(f"commit {checked.pending.id} waits {checked.pending.remaining_s:.0f} s for its confirmation")
    if checked.drift:
        faults += [f"by hand: {as_seen(line)}" for line in checked.drift[:SHOWN_LINES]]
        remedy = f"describe these lines or take them back on the switch; see {RUNBOOK}"
    elif checked.fresh and checked.delta:
        faults.append("it was never configured")
    elif checked.delta:
        faults += [f"not as planned: {line}" for line in checked.delta[:SHOWN_LINES]]
    if not checked.delta and survey.startup_sha256 != planned.sha256:
        faults.append("the startup configuration is another one: a reboot would bring it back")
    return _result(
        f"fabric.config.{switch.name}",
        [without_secrets(fault) for fault in faults],
        expected=f"running, startup and planned configuration equal ({planned.sha256[:12]})",
        good="equal",
        remedy=remedy,
    )


def _no_answer(switch: SwitchPlan, error: DeviceError) -> CheckResult:
    kind = "ssh" if isinstance(error, SwitchUnreachableError) else "config"
    problem = error.problems[0]
    found = f"{problem.message}: {problem.found}" if problem.found else problem.message
    return CheckResult(
        name=f"fabric.{kind}.{switch.name}",
        status=Status.FAIL,
        expected="answers with its pinned key" if kind == "ssh" else "takes the planned configuration",
        found=found,
        remedy=problem.remedy,
    )


def _result(name: str, faults: list[str], *, expected: str, good: str, remedy: str | None = None) -> CheckResult:
    return CheckResult(
        name=name,
        status=Status.FAIL if faults else Status.OK,
        expected=expected,
        found="; ".join(faults) or good,
        remedy=remedy if faults else None,
    )
