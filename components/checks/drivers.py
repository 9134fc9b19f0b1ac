"""What each GPU host says of its driver.

The role that installs the driver also verifies it; this runs that verification alone and reads what
it reports, so that the two never disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.checks.judge import judged
from components.checks.result import CheckResult
from components.clients.ansible import PlaybookFailedError, PlaybookRequest, RunResult, play
from components.clients.secrets import resolve
from components.plan.inventory import ansible_inventory
from components.plan.model import HostPlan, RegionPlan, TrayRole
from components.plan.naming import known_hosts_reference

PLAYBOOK = "verify_runtime.yml"
ROLE = "nvidia_driver"
TIMEOUT_S = 300


async def check_drivers(plan: RegionPlan, project: Path) -> list[CheckResult]:
    """One result a GPU host. Raises SecretError."""
    request = PlaybookRequest(
        playbooks=project / "playbooks",
        playbook=PLAYBOOK,
        inventory=ansible_inventory(plan, (ROLE,)),
        private_key=resolve(project, plan.endpoints.credentials["ssh_key"]),
        known_hosts=resolve(project, known_hosts_reference(plan.region), private=False),
        directory=project,
        log=project / ".region" / plan.region / "logs" / "verify-drivers.log",
        tags=("drivers",),
        timeout_s=TIMEOUT_S,
    )
    try:
        result = await play(request)
    except PlaybookFailedError as error:
        result = error.result
    return [_result(plan, host, result) for host in plan.deployed_hosts if host.role is TrayRole.GPU_WORKER]


def _result(plan: RegionPlan, host: HostPlan, result: RunResult) -> CheckResult:
    report = next((r for r in result.reports.get(host.name, ()) if r.get("role") == ROLE), None)
    failure = next((task.message for task in result.failed if task.host == host.name), f"no report; see {result.log}")
    cluster = plan.cluster
    is_good = report is not None and report["version"] == cluster.nvidia_driver and report["gpus"] == host.gpus
    return judged(
        f"runtime.driver.{host.name}",
        good=is_good,
        expected=f"driver {cluster.nvidia_driver}, {host.gpus} GPUs",
        found=_words(report) if report else failure,
        remedy="`region up <region> --layer runtime` installs it; it never reboots a host",
    )


def _words(report: Mapping[str, Any]) -> str:
    reboot = ", needs a reboot" if report.get("reboot_required") else ""
    return f"driver {report['version']}, {report['gpus']} GPUs{reboot}"
