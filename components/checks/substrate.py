"""Whether the racks are as planned: Ironic's view, power, and what the hosts say themselves. Changes nothing.

Ironic is asked once for all trays, each deployed host once over SSH with its pinned key. What is seen is
judged by pure functions.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from components.checks.result import CheckResult, Status
from components.clients.host import HostIdentity, identify
from components.clients.ironic import Ironic
from components.clients.ironic_model import Node
from components.clients.secrets import ca_context, credentials
from components.clients.ssh import HostKeyError, SshAccess
from components.errors import DeviceError
from components.plan.model import HostPlan, RackPlan, RegionPlan, TrayRole
from components.plan.naming import known_hosts_reference

RUNBOOK = "docs/runbooks/HostDoesNotDeploy.md"
_USER = "root"
_SSH_AT_ONCE = 64


async def check_substrate(plan: RegionPlan, project: Path) -> list[CheckResult]:
    """All checks of all trays. Raises SecretError."""
    nodes, hosts = await asyncio.gather(_ask_ironic(plan, project), _ask_hosts(plan, project))
    results: list[CheckResult] = []
    if isinstance(nodes, DeviceError):
        results.append(_result("substrate.ironic", expected="Ironic answers", found=str(nodes), good=False))
    for rack in plan.racks:
        for host in rack.hosts:
            if not isinstance(nodes, DeviceError):
                results += judge_node(host, nodes.get(host.name), rack)
            if host.name in hosts:
                results += judge_host(host, hosts[host.name], rack)
    return results


async def _ask_ironic(plan: RegionPlan, project: Path) -> dict[str, Node] | DeviceError:
    ironic = Ironic(
        plan.endpoints.ironic,
        credentials(project, plan.endpoints.credentials["ironic"]),
        tls=ca_context(project, plan.endpoints.ca_certificate),
    )
    try:
        return await ironic.nodes()
    except DeviceError as error:
        return error
    finally:
        await ironic.close()


async def _ask_hosts(plan: RegionPlan, project: Path) -> dict[str, HostIdentity | DeviceError]:
    """What each host that should run says of itself."""
    access = SshAccess.from_references(
        project,
        user=_USER,
        private_key=plan.endpoints.credentials["ssh_key"],
        known_hosts=known_hosts_reference(plan.region),
    )
    at_once = asyncio.Semaphore(_SSH_AT_ONCE)

    async def ask(host: HostPlan) -> HostIdentity | DeviceError:
        async with at_once:
            try:
                return await identify(host.oob_address, access)
            except DeviceError as error:
                return error

    hosts = [h for h in plan.hosts if h.role is not TrayRole.SPARE]
    answers = await asyncio.gather(*(ask(host) for host in hosts))
    return {host.name: answer for host, answer in zip(hosts, answers, strict=True)}


def judge_node(host: HostPlan, node: Node | None, rack: RackPlan) -> list[CheckResult]:
    """Ironic's state, power and deployed image of one tray; pure."""
    is_spare = host.role is TrayRole.SPARE
    state, power = ("available", "power off") if is_spare else ("active", "power on")
    found = "not enrolled" if node is None else node.provision_state
    if node is not None and node.maintenance:
        found += f", in maintenance: {node.maintenance_reason or node.fault or 'no reason given'}"
    elif node is not None and node.last_error and found != state:
        found += f": {node.last_error}"
    results = [_result(f"substrate.ironic.{host.name}", expected=state, found=found, good=found == state)]
    if node is not None:
        seen = node.power_state or "unknown"
        results.append(_result(f"substrate.power.{host.name}", expected=power, found=seen, good=seen == power))
    if node is not None and not is_spare:
        # Ironic's record; what the host itself says is a check of its own.
        image = str(node.instance_info.get("image_os_hash_value") or "none")
        results.append(
            _result(
                f"substrate.deployed.{host.name}",
                expected=rack.image_sha256,
                found=image,
                good=image == rack.image_sha256,
            )
        )
    return results


def judge_host(host: HostPlan, answer: HostIdentity | DeviceError, rack: RackPlan) -> list[CheckResult]:
    """Whether a deployed host is itself and runs the planned image; pure."""
    expected = f"{host.name} answers on SSH with its pinned key"
    name = f"substrate.ssh.{host.name}"
    if isinstance(answer, DeviceError):
        why = "another host key" if isinstance(answer, HostKeyError) else "no answer"
        text = "; ".join(f"{p.message}: {p.found}" if p.found else p.message for p in answer.problems)
        return [_result(name, expected=expected, found=f"{why}: {text or answer.message}", good=False)]
    is_itself = answer.hostname == host.name
    image = answer.image_sha256 or "no mark of an image"
    return [
        _result(name, expected=expected, found="it does" if is_itself else f"it is {answer.hostname}", good=is_itself),
        _result(
            f"substrate.image.{host.name}",
            expected=rack.image_sha256,
            found=image,
            good=image == rack.image_sha256,
        ),
    ]


def _result(name: str, *, expected: str, found: str, good: bool) -> CheckResult:
    return CheckResult(
        name=name,
        status=Status.OK if good else Status.FAIL,
        expected=expected,
        found=found,
        remedy=None if good else f"`region up` brings it there, or names the cause; see {RUNBOOK}",
    )
