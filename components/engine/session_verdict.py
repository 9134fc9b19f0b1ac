"""Whether the sessions of a fabric are as they must be after a change; pure.

Owns the rules. Waiting, looking and taking back are the transaction's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from components.engine.switch import Desired, Look
from components.plan.actions.switches import restarting
from components.plan.frr_sessions import has_bfd, neighbours


class FaultKind(StrEnum):
    """Whether waiting can mend it."""

    NOT_YET = "not yet"
    FINAL = "final"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One session that is not as it must be."""

    switch: str
    port: str
    text: str
    kind: FaultKind = FaultKind.NOT_YET

    def __str__(self) -> str:
        return f"{self.port} {self.text}"


def allowed_restarts(running: Mapping[str, str], desired: Mapping[str, Desired]) -> frozenset[tuple[str, str]]:
    """(switch, port) of sessions that the change itself starts again, seen from both ends."""
    found: set[tuple[str, str]] = set()
    for switch, old in running.items():
        for port in restarting(old, desired[switch].config):
            found.add((switch, port))
            if port in desired[switch].peers:
                found.add(desired[switch].peers[port])
    return frozenset(found)


def session_faults(
    switch: str,
    desired: Desired,
    before: Look,
    now: Look,
    *,
    may_restart: frozenset[tuple[str, str]],
) -> list[Fault]:
    """What is wrong on one switch after the change.

    Every expected session must be up, also one that was down before: to excuse it would confirm a broken change
    that is tried again right after its rollback.
    """
    faults: list[Fault] = []
    wanted = neighbours(desired.config)
    with_bfd = has_bfd(desired.config)
    for port in sorted(desired.expect_up - desired.may_be_down):
        session = now.sessions.get(port)
        if session is None or not session.is_up:
            faults.append(Fault(switch=switch, port=port, text=f"is {session.state if session else 'absent'}"))
        elif with_bfd and now.bfd.get(port) != "up":
            faults.append(Fault(switch=switch, port=port, text=f"has BFD {now.bfd.get(port, 'absent')}"))
    named = {fault.port for fault in faults}
    for port, was in before.sessions.items():
        if not was.is_up or port not in wanted or port in named or (switch, port) in may_restart:
            continue
        session = now.sessions.get(port)
        if session is None or not session.is_up:
            state = session.state if session else "absent"
            faults.append(Fault(switch=switch, port=port, text=f"was up and is {state}"))
        elif session.starts != was.starts or session.uptime_ms < was.uptime_ms:
            text = f"started again {session.uptime_ms / 1000:.0f} s ago, which the change does not say"
            faults.append(Fault(switch=switch, port=port, text=text, kind=FaultKind.FINAL))
        elif was.prefixes and not session.prefixes:
            faults.append(Fault(switch=switch, port=port, text="sends no prefix any more"))
    return faults
