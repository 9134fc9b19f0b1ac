"""One ansible-playbook process, through ansible-runner.

Owns one run: a private folder that lives as long as the run, inventory, variables and keys in files that only
the owner reads (never in arguments), events as progress, a redacted log, a time limit, and what came of it.
Deliberately does not know what a playbook does, nor decide whether one should run.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO, cast

from ansible_runner.interface import init_runner  # pyright: ignore[reportUnknownVariableType]

from components.clients.playbook_events import EventReader, FailedTask, Log, Progress
from components.clients.playbook_folder import private_folder
from components.clients.playbook_result import FAILED, SUCCESSFUL, PlaybookFailedError, RunResult
from components.plan.playbook_shards import inventory_hosts

SSH_OPTIONS = "-F none -o StrictHostKeyChecking=yes -o GlobalKnownHostsFile=/dev/null -o IdentitiesOnly=yes"
"""Only pinned keys count, and no setting of the user who happens to run this."""

DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--")
"""A run that outlives a killed provider would work on the hosts beside the run that takes up where it ended."""

CANCEL_WITHIN_S = 1
"""How long a run that is silent goes on before it looks whether it was cancelled."""


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
    skip_tags: tuple[str, ...] = ()
    limit: tuple[str, ...] = ()
    """Hosts of the inventory that the run is about; none: all."""
    forks: int | None = None
    """Hosts at a time; without, what `ansible.cfg` says."""
    check: bool = False
    """Change nothing, say what would change."""
    timeout_s: int = 1800
    """For each process of the run."""


def run_playbook(
    request: PlaybookRequest,
    *,
    on_progress: Callable[[Progress], None] = lambda _: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> RunResult:
    """Run a playbook to its end. Raises PlaybookFailedError if it did not reach it on every host."""
    with open_log(request.log) as log:
        result = run_process(request, log, on_progress=on_progress, is_cancelled=is_cancelled)
    if result.status != SUCCESSFUL:
        raise PlaybookFailedError(result)
    return result


def run_process(
    request: PlaybookRequest, log: Log, *, on_progress: Callable[[Progress], None], is_cancelled: Callable[[], bool]
) -> RunResult:
    """The same, with the result however it ended."""
    began = time.monotonic()
    with private_folder() as folder:
        reader = EventReader(log, on_progress)
        runner = cast("Any", init_runner)(
            private_data_dir=str(folder),
            project_dir=str(request.directory),
            playbook=str((request.playbooks / request.playbook).absolute()),
            inventory=dict(request.inventory),
            extravars=dict(request.variables),
            envvars=_environment(request, folder),
            tags=",".join(request.tags) or None,
            skip_tags=",".join(request.skip_tags) or None,
            limit=_limit(request, folder),
            cmdline="--check --diff" if request.check else None,
            settings={
                "job_timeout": request.timeout_s,
                "suppress_ansible_output": True,
                "pexpect_timeout": CANCEL_WITHIN_S,
            },
            event_handler=reader.read,
            cancel_callback=is_cancelled,
            quiet=True,
        )
        runner.config.command = [*DIES_WITH_US, *runner.config.command]
        runner.run()
    status, hosts = str(runner.status), reader.hosts
    # A killed process leaves no exit code and no figures.
    silent = [h for h in request.limit or inventory_hosts(request.inventory) if h not in hosts]
    # What a playbook rescues has failed too, and is none of the figures.
    failed = [task for task in reader.failed if task.host not in hosts or hosts[task.host].is_undone]
    lost = silent if status == FAILED and runner.rc is None else []
    if status == FAILED and not failed and not lost:
        failed = [_not_begun(host, reader.last_words) for host in silent]
    return RunResult(
        playbook=request.playbook,
        status=status,
        seconds=time.monotonic() - began,
        hosts=hosts,
        failed=tuple(failed),
        reports={host: tuple(reports) for host, reports in reader.reports.items()},
        log=request.log,
        last_words=reader.last_words,
        lost=tuple(lost),
    )


def _not_begun(host: str, words: str) -> FailedTask:
    return FailedTask(
        host=host, role=None, name="before the first task", message=words, unreachable=False, file=None, line=None
    )


def _limit(request: PlaybookRequest, folder: Path) -> str | None:
    """In a file: thousands of names do not fit an argument."""
    if not request.limit:
        return None
    file = folder / "limit"
    file.write_text("\n".join(request.limit))
    return f"@{file}"


def _environment(request: PlaybookRequest, folder: Path) -> dict[str, str]:
    key, known_hosts = folder / "key", folder / "known_hosts"
    for path, text in ((key, request.private_key), (known_hosts, request.known_hosts)):
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(text.rstrip("\n") + "\n")  # OpenSSH refuses a key without its last newline
    return {
        # The programs of this very environment, whatever was called first.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "ANSIBLE_CONFIG": str(request.playbooks.absolute() / "ansible.cfg"),
        # Also how playbook_folder knows the processes of this run.
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
        "ANSIBLE_PRIVATE_KEY_FILE": str(key),
        "ANSIBLE_SSH_COMMON_ARGS": f"{SSH_OPTIONS} -o UserKnownHostsFile={known_hosts}",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder / "cp"),
        "ANSIBLE_NOCOLOR": "1",
        "LC_ALL": "C.UTF-8",  # Ansible refuses to start without a UTF-8 locale
        **({"ANSIBLE_FORKS": str(request.forks)} if request.forks else {}),
    }


@contextlib.contextmanager
def open_log(path: Path) -> Generator[TextIO]:
    """A new file, for its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        yield file
