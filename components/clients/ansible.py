"""Ansible playbooks through ansible-runner.

Owns one run: a private folder that lives as long as the run, inventory, variables and keys in files that only
the owner reads (never in arguments), events as progress, a redacted log, a time limit, and what came of it.
Deliberately does not know what a playbook does, nor decide whether one should run.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO, cast

from ansible_runner.interface import init_runner  # pyright: ignore[reportUnknownVariableType]

from components.clients.playbook_content import content_digest
from components.clients.playbook_events import EventReader, FailedTask, HostStats, Progress
from components.clients.playbook_folder import private_folder
from components.errors import DeviceError, Problem

__all__ = [
    "FailedTask",
    "HostStats",
    "PlaybookFailedError",
    "PlaybookRequest",
    "Progress",
    "RunResult",
    "content_digest",
    "play",
    "run_playbook",
]

SSH_OPTIONS = "-F none -o StrictHostKeyChecking=yes -o GlobalKnownHostsFile=/dev/null -o IdentitiesOnly=yes"
"""Only pinned keys count, and no setting of the user who happens to run this."""

DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--")
"""A run that outlives a killed provider would work on the hosts beside the run that takes up where it ended."""


@dataclass(frozen=True, kw_only=True)
class PlaybookRequest:
    """What to run, on what, with which secrets."""

    playbooks: Path
    """Folder of the playbooks, with `ansible.cfg` and `roles`."""
    playbook: str
    """File name in it."""
    inventory: Mapping[str, Any]
    variables: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    """Stronger than the inventory; may hold secrets."""
    private_key: str = field(repr=False)
    """Private key of the operator, in OpenSSH's form."""
    known_hosts: str
    """Pinned host keys, as OpenSSH writes them."""
    directory: Path
    """Where relative paths on the controller begin."""
    log: Path
    """Gets all output of the run, redacted; readable by its owner only."""
    tags: tuple[str, ...] = ()
    check: bool = False
    """Change nothing, say what would change."""
    timeout_s: int = 1800


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """What came of a run."""

    playbook: str
    status: str
    """`successful`, `failed`, `timeout` or `canceled`."""
    seconds: float
    hosts: Mapping[str, HostStats]
    failed: tuple[FailedTask, ...]
    reports: Mapping[str, tuple[Mapping[str, Any], ...]]
    """What roles said of a host in their verification, by host."""
    log: Path
    last_words: str
    """End of the output: all there is to say of a run that failed before its first task."""

    @property
    def changed(self) -> int:
        """Tasks that changed something, over all hosts."""
        return sum(stats.changed for stats in self.hosts.values())


class PlaybookFailedError(DeviceError):
    """A playbook did not reach its end on every host; `result` tells how far it came."""

    def __init__(self, result: RunResult) -> None:
        reasons = {"timeout": "ran past its time limit", "canceled": "was cancelled"}
        super().__init__(
            f"{result.playbook} {reasons.get(result.status, 'failed')} after {result.seconds:.0f} s",
            [_problem(task, result.log) for task in result.failed]
            or [Problem(path=result.playbook, message=result.last_words, remedy=f"read {result.log}")],
        )
        self.result = result


def _problem(task: FailedTask, log: Path) -> Problem:
    where = " : ".join(part for part in (task.role, task.name) if part)
    if task.unreachable:
        remedy = f"check that {task.host} is powered and answers on its out-of-band address; then run again"
    else:
        remedy = f"mend the cause and run again, what is done stays done; the whole output is in {log}"
    return Problem(path=task.host, message=f"{where}: {task.message}", remedy=remedy, file=task.file, line=task.line)


def run_playbook(
    request: PlaybookRequest,
    *,
    on_progress: Callable[[Progress], None] = lambda _: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> RunResult:
    """Run a playbook to its end. Raises PlaybookFailedError if it did not reach it on every host."""
    began = time.monotonic()
    with private_folder() as folder, _open_log(request.log) as log:
        reader = EventReader(log, on_progress)
        runner = cast("Any", init_runner)(
            private_data_dir=str(folder),
            project_dir=str(request.directory),
            playbook=str((request.playbooks / request.playbook).absolute()),
            inventory=dict(request.inventory),
            extravars=dict(request.variables),
            envvars=_environment(request, folder),
            tags=",".join(request.tags) or None,
            cmdline="--check --diff" if request.check else None,
            settings={"job_timeout": request.timeout_s, "suppress_ansible_output": True},
            event_handler=reader.read,
            cancel_callback=is_cancelled,
            quiet=True,
        )
        runner.config.command = [*DIES_WITH_US, *runner.config.command]
        runner.run()
    result = RunResult(
        playbook=request.playbook,
        status=str(runner.status),
        seconds=time.monotonic() - began,
        hosts=reader.hosts,
        failed=tuple(reader.failed),
        reports={host: tuple(reports) for host, reports in reader.reports.items()},
        log=request.log,
        last_words=reader.last_words,
    )
    if result.status != "successful":
        raise PlaybookFailedError(result)
    return result


async def play(request: PlaybookRequest, *, on_progress: Callable[[Progress], None] = lambda _: None) -> RunResult:
    """As run_playbook, beside other work. A cancellation ends the run on the hosts after the task under way."""
    loop = asyncio.get_running_loop()
    stop = threading.Event()
    run = asyncio.ensure_future(
        asyncio.to_thread(
            run_playbook,
            request,
            on_progress=lambda progress: cast("None", loop.call_soon_threadsafe(on_progress, progress)),
            is_cancelled=stop.is_set,
        )
    )
    try:
        return await asyncio.shield(run)
    except asyncio.CancelledError:
        stop.set()
        with contextlib.suppress(PlaybookFailedError):  # it says what we know: cancelled
            await run
        raise


def _environment(request: PlaybookRequest, folder: Path) -> dict[str, str]:
    key, known_hosts = folder / "key", folder / "known_hosts"
    for path, text in ((key, request.private_key), (known_hosts, request.known_hosts)):
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(text.rstrip("\n") + "\n")  # OpenSSH refuses a key without its last newline
    return {
        # The programs of this very environment, whatever was called first.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "ANSIBLE_CONFIG": str(request.playbooks.absolute() / "ansible.cfg"),
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
        "ANSIBLE_PRIVATE_KEY_FILE": str(key),
        "ANSIBLE_SSH_COMMON_ARGS": f"{SSH_OPTIONS} -o UserKnownHostsFile={known_hosts}",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder / "cp"),
        "ANSIBLE_NOCOLOR": "1",
        "LC_ALL": "C.UTF-8",  # Ansible refuses to start without a UTF-8 locale
    }


@contextlib.contextmanager
def _open_log(path: Path) -> Generator[TextIO]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        yield file
