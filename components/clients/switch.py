"""One FRR switch over SSH.

Owns the way to the switch's side of a commit (switch_agent, uploaded as one file and compared byte by byte) and the
translation of its answers. The order of things between switches is the engine's.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from components.clients.ssh import Completed, SshAccess, SshConnection, SshError
from components.clients.switch_archive import switch_archive
from components.engine.switch import (
    RUNBOOK,
    Checked,
    Look,
    Pending,
    Session,
    SwitchRefusedError,
    SwitchState,
    SwitchUnreachableError,
)
from components.errors import DeviceError

AGENT_FOLDER = "/run/gpuregion"
"""Volatile on the switch: an agent is uploaded again after a reboot."""
Answer = Mapping[str, Any]


@cache
def agent_path() -> str:
    """Named by content, so that a rollback timer of an older version keeps its own program."""
    return f"{AGENT_FOLDER}/fabric-commit-{hashlib.sha256(switch_archive()).hexdigest()[:12]}"


@dataclass(frozen=True, kw_only=True)
class Survey:
    """A switch at one moment, for checks."""

    checked: Checked
    look: Look
    startup_sha256: str
    routes: tuple[Mapping[str, Any], ...]
    """The kernel's main table, as `ip -j route` prints it."""


class FrrSwitch:
    """Implements engine.switch.Switch."""

    def __init__(self, name: str, address: str, access: SshAccess) -> None:
        self._name = name
        self._ssh = SshConnection(address, access)
        self._is_ready = False

    @property
    def name(self) -> str:
        return self._name

    async def connect(self) -> None:
        """Reach the switch and bring the agent there, if it is not there already."""
        try:
            if not await self._has_agent():
                await self._ssh.run(f"mkdir -p {AGENT_FOLDER}")
                await self._ssh.put(agent_path(), switch_archive())
            self._is_ready = True
        except SshError as error:
            raise self._unreachable(error) from error

    async def state(self) -> SwitchState:
        answer = await self._ask("state")
        return SwitchState(pending=_pending(answer["pending"]), accepted_sha256=answer["accepted_sha256"])

    async def check(self, config: str) -> Checked:
        return _checked(await self._ask("check", stdin=config))

    async def apply(
        self, config: str, *, commit: str, owner: str, confirm_in_s: float, base: str, timeout_s: float
    ) -> None:
        await self._ask("apply", commit, owner, str(confirm_in_s), base, stdin=config, timeout_s=timeout_s)

    async def look(self) -> Look:
        return _look(await self._ask("look"))

    async def confirm(self, commit: str) -> None:
        await self._ask("confirm", commit)

    async def rollback(self, commit: str, why: str) -> None:
        await self._ask("rollback", commit, why)

    async def survey(self, planned: str) -> Survey:
        """Everything a check wants, in one answer. Changes nothing; the agent lies in volatile memory."""
        answer = await self._ask("survey", stdin=planned)
        return Survey(
            checked=_checked(answer),
            look=_look(answer),
            startup_sha256=answer["startup_sha256"],
            routes=tuple(answer["routes"]),
        )

    async def factory(self) -> str | None:
        """The configuration from before the first commit; None on a switch that was never configured."""
        return (await self._ask("factory"))["factory"]

    async def close(self) -> None:
        await self._ssh.close()

    async def _ask(self, command: str, *args: str, stdin: str = "", timeout_s: float = 30) -> Answer:
        if not self._is_ready:
            await self.connect()
        line = shlex.join(["python3", agent_path(), command, *args])
        try:
            done = await self._ssh.run(line, stdin=stdin, timeout_s=timeout_s)
        except SshError as error:
            self._is_ready = False  # it may come back rebooted, without the agent
            raise self._unreachable(error) from error
        answer = _answer(done)
        if answer is None:
            self._is_ready = False
            last = (done.err or done.out).strip().splitlines()[-1:]
            raise SwitchRefusedError(self._name, f"`{command}` ended with {done.code}", found="".join(last))
        if "error" in answer:
            raise self._refused(answer)
        return answer

    async def _has_agent(self) -> bool:
        """Compare on the switch: cheaper than a transfer. A program that was tampered with is written anew."""
        seen = await self._ssh.run(f"sha256sum {agent_path()}")
        return seen.out.split()[:1] == [hashlib.sha256(switch_archive()).hexdigest()]

    def _unreachable(self, error: DeviceError) -> SwitchUnreachableError:
        first = error.problems[0]
        words = f"{first.message} ({first.path})"
        found = first.found if first.allowed is None else f"{first.found}, expected {first.allowed}"
        return SwitchUnreachableError(self._name, words, found=found, remedy=f"{first.remedy}; see {RUNBOOK}")

    def _refused(self, answer: Answer) -> SwitchRefusedError:
        words = str(answer["error"])
        if number := answer.get("line_number"):
            return SwitchRefusedError(
                self._name,
                f"line {number} of its configuration is not one that the switch knows",
                found=str(answer["line"]),
                remedy="correct what renders this line, then run again",
            )
        if daemons := answer.get("daemons"):
            return SwitchRefusedError(
                self._name,
                words,
                remedy=f"set {', '.join(f'{d}=yes' for d in daemons)} in /etc/frr/daemons on the switch and restart frr",
            )
        lines = [*answer.get("left", []), *answer.get("said", [])]
        return SwitchRefusedError(self._name, words, found="; ".join(lines) or None)


def _answer(done: Completed) -> Answer | None:
    try:
        return json.loads(done.out)
    except ValueError:
        return None


def _look(answer: Answer) -> Look:
    sessions: dict[str, Any] = answer["sessions"]
    return Look(sessions={port: Session(**s) for port, s in sessions.items()}, bfd=answer["bfd"])


def _pending(answer: Answer | None) -> Pending | None:
    if answer is None:
        return None
    fields = dict(answer)
    before = _look(fields.pop("before"))
    return Pending(before=before, **fields)


def _checked(answer: Answer) -> Checked:
    return Checked(
        pending=_pending(answer["pending"]),
        accepted_sha256=answer["accepted_sha256"],
        look=_look(answer),
        delta=tuple(answer["delta"]),
        drift=tuple(answer["drift"]),
        running=answer["running"],
        fresh=answer["fresh"],
        rewrite=answer["rewrite"],
    )
