"""What ansible-runner tells of a run while it runs.

Owns the reading of events: progress, failures with their place and words, what roles report, the figures of
each host, and the redacted text for the log.
"""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

from components.clients.redaction import redact

REPORT = "role"
"""Key by which a message that is a JSON object is known for a role's report."""
MESSAGE_LIMIT = 1500
LAST_LINES = 8
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Log(Protocol):
    """Takes redacted text."""

    def write(self, text: str, /) -> object:
        """Append it."""
        ...

    def flush(self) -> object:
        """Let others read it."""
        ...


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a run stands; of several processes, where the one stands that is least far."""

    playbook_task: str
    """Role and name of the task under way."""
    tasks: int
    """Tasks begun so far, this one included."""
    seconds: float
    shards: int = 1
    """Processes in all."""
    shards_done: int = 0
    shards_running: int = 1

    def __str__(self) -> str:
        here = f"task {self.tasks}: {self.playbook_task} ({self.seconds:.0f} s)"
        if self.shards == 1:
            return here
        return f"{self.shards_done} of {self.shards} shards done, {self.shards_running} at work; the last at {here}"


@dataclass(frozen=True, kw_only=True)
class HostStats:
    """Figures of one host at the end of a run."""

    ok: int
    changed: int
    failed: int
    unreachable: int
    skipped: int
    ignored: int

    @property
    def is_undone(self) -> bool:
        """Whether it did not reach the end."""
        return bool(self.failed or self.unreachable)


@dataclass(frozen=True, kw_only=True)
class FailedTask:
    """A task that failed on a host."""

    host: str
    role: str | None
    name: str
    message: str
    unreachable: bool
    file: str | None
    line: int | None


class EventReader:
    """Takes events one by one, in the order of the run."""

    def __init__(self, log: Log, on_progress: Callable[[Progress], None]) -> None:
        self.failed: list[FailedTask] = []
        self.reports: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
        self.hosts: dict[str, HostStats] = {}
        self._log = log
        self._on_progress = on_progress
        self._last: deque[str] = deque(maxlen=LAST_LINES)
        self._tasks: set[str] = set()
        self._began = time.monotonic()

    @property
    def last_words(self) -> str:
        """The last lines of output."""
        return "\n".join(self._last) or "ended without a word"

    def read(self, event: Mapping[str, Any]) -> bool:
        """Take one event. The answer keeps the event's file from being written: nothing reads it."""
        if text := event.get("stdout"):
            plain = _COLOUR.sub("", redact(text))
            self._log.write(f"{plain}\n")
            self._log.flush()
            self._last.extend(line for line in plain.splitlines() if line.strip())
        data = cast("Mapping[str, Any]", event.get("event_data") or {})
        match event.get("event"):
            case "playbook_on_task_start":
                name = " : ".join(part for part in (data.get("role"), data.get("task")) if part)
                self._tasks.add(name)  # hosts that do not wait for each other begin a task each by itself
                seconds = time.monotonic() - self._began
                self._on_progress(Progress(playbook_task=name, tasks=len(self._tasks), seconds=seconds))
            case "runner_on_failed" if not data.get("ignore_errors"):
                self.failed.append(_failed(data, unreachable=False))
            case "runner_on_unreachable":
                self.failed.append(_failed(data, unreachable=True))
            case "runner_on_ok":
                self._report(data)
            case "playbook_on_stats":
                self._stats(data)
            case _:
                pass
        return False

    def _report(self, data: Mapping[str, Any]) -> None:
        text: object = cast("Mapping[str, Any]", data.get("res") or {}).get("msg")
        if not isinstance(text, str) or not text.startswith("{"):
            return
        try:
            report = json.loads(text)
        except ValueError:
            return
        if REPORT in report:
            self.reports[str(data["host"])].append(cast("dict[str, Any]", report))

    def _stats(self, data: Mapping[str, Any]) -> None:
        kinds = {"ok": "ok", "changed": "changed", "failed": "failures", "unreachable": "dark"}
        kinds |= {"skipped": "skipped", "ignored": "ignored"}
        counts = {field: cast("Mapping[str, int]", data.get(kind) or {}) for field, kind in kinds.items()}
        for host in sorted({host for by_host in counts.values() for host in by_host}):
            self.hosts[host] = HostStats(**{field: by_host.get(host, 0) for field, by_host in counts.items()})


def _failed(data: Mapping[str, Any], *, unreachable: bool) -> FailedTask:
    path, _, line = str(data.get("task_path") or "").rpartition(":")
    return FailedTask(
        host=str(data.get("host")),
        role=data.get("role"),
        name=str(data.get("task")),
        message=_message(cast("Mapping[str, Any]", data.get("res") or {})),
        unreachable=unreachable,
        file=path or None,
        line=int(line) if line.isdigit() else None,
    )


def _message(result: Mapping[str, Any]) -> str:
    """The words of a failure: the module's own, then what the command wrote; of a loop, of its failed items."""
    if "censored" in result:
        return "failed; its output is withheld because it may hold a secret"
    items = [cast("Mapping[str, Any]", item) for item in cast("list[Any]", result.get("results") or [])]
    texts = [_message(item) for item in items if item.get("failed")]
    if not texts:
        texts = [str(result[key]).strip() for key in ("msg", "stderr", "module_stderr") if result.get(key)]
        if not result.get("stderr") and result.get("stdout"):
            texts.append(str(result["stdout"]).strip())
    text = redact("\n".join(dict.fromkeys(texts)) or "failed without a word")
    # The end of a long output is where a program says what stopped it.
    return text if len(text) <= MESSAGE_LIMIT else f"... {text[-MESSAGE_LIMIT:]}"
