"""How a transaction ends when it does not succeed, in the words of an operator.

Owns the texts. Each says what stands now (nothing changed, taken back, not known), names the switch, and
gives the next step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from components.engine.session_verdict import Fault, FaultKind
from components.engine.switch import RUNBOOK, Checked
from components.errors import DeviceError, Problem

SHOWN_LINES = 12
_UNTOUCHED = "nothing was changed on any switch"


class TransactionError(DeviceError):
    """A group of switches did not come to its desired configuration."""


class SessionRestartError(TransactionError):
    """A session started again that the change leaves alone, and every switch is as before.

    The change may be the cause, or a moment in which the far end or BFD was too slow; one more try tells.
    """


def _problems(errors: Mapping[str, DeviceError]) -> list[Problem]:
    return [problem for name in sorted(errors) for problem in errors[name].problems]


def _names(names: Sequence[str] | Mapping[str, object]) -> str:
    return ", ".join(sorted(names))


def not_reached(errors: Mapping[str, DeviceError]) -> TransactionError:
    return TransactionError(f"no working connection to {_names(errors)}; {_UNTOUCHED}", _problems(errors))


def refused(errors: Mapping[str, DeviceError]) -> TransactionError:
    return TransactionError(f"{_names(errors)} refused the configuration; {_UNTOUCHED}", _problems(errors))


def not_cleared(errors: Mapping[str, DeviceError]) -> TransactionError:
    return TransactionError(
        f"a commit that waits on {_names(errors)} could not be taken back; nothing new was begun", _problems(errors)
    )


def waiting(name: str, owner: str, remaining_s: float) -> TransactionError:
    problem = Problem(
        path=name,
        message="another change waits for its confirmation and is not ours to decide",
        found=f"applied by {owner}, {remaining_s:.0f} s left",
        remedy=f"let that run end, or the switch take it back, then run again; see {RUNBOOK}",
    )
    return TransactionError(f"{name} is being changed by somebody else; {_UNTOUCHED}", [problem])


def drift(checked: Mapping[str, Checked]) -> TransactionError:
    """`checked` are the switches that drifted."""
    problems = [
        Problem(
            path=name,
            message="was configured by hand since the last confirmed change"
            if not c.fresh
            else "carries a routing configuration that this toolkit did not write",
            found="; ".join(as_seen(line) for line in c.drift[:SHOWN_LINES]),
            allowed="the configuration that was confirmed last, or exactly the one described",
            remedy="put the lines into the region's description, or take them back on the switch with "
            f"`{take_back_command(c.fresh)}`, then run again; see {RUNBOOK}",
        )
        for name, c in sorted(checked.items())
    ]
    return TransactionError(f"{_names(checked)} drifted; {_UNTOUCHED}", problems)


def take_back_command(fresh: bool) -> str:
    """What an operator types on the switch to return to the startup configuration without touching the rest."""
    if fresh:
        return "rm /etc/frr/frr.conf && systemctl restart frr"
    return "python3 /usr/lib/frr/frr-reload.py --reload /etc/frr/frr.conf"


def as_seen(line: str) -> str:
    """A line of the way back, told as what somebody did: what would be taken out was added, and the reverse."""
    sign, text = line[0], line[2:]
    if sign == "+":
        return f"removed `{text}`"
    context, separator, last = text.rpartition(" / ")
    last = last.removeprefix("no ") if last.startswith("no ") else f"no {last}"
    return f"added `{context}{separator}{last}`"


def not_applied(errors: Mapping[str, DeviceError]) -> TransactionError:
    return TransactionError(f"{_names(errors)} did not take the lines", _problems(errors))


def not_good(faults: Sequence[Fault], silent: Mapping[str, DeviceError], settle_s: float) -> TransactionError:
    """Sessions that are not as they must be, and switches that do not answer, after the time to settle."""
    switches = sorted({f.switch for f in faults} | silent.keys())
    problems = [
        Problem(
            path=name,
            message=f"sessions are not as they must be within {settle_s:g} s of the change",
            found="; ".join(str(f) for f in faults if f.switch == name),
            allowed="every expected session Established with BFD up, none started again that the change leaves alone",
            remedy=f"correct the description, or the far end, then run again; see {RUNBOOK}",
        )
        for name in switches
        if name not in silent
    ]
    # The first restart ends the waiting, so what is not up yet is not judged.
    is_restart = not silent and any(f.kind is FaultKind.FINAL for f in faults)
    kind = SessionRestartError if is_restart else TransactionError
    return kind(f"{', '.join(switches)} not good after the change", [*problems, *_problems(silent)])


def taken_back(
    cause: DeviceError, not_taken_back: Mapping[str, DeviceError], unwell: Sequence[str], wait_s: float
) -> TransactionError:
    """After a failure behind the timers. `unwell`: sessions that were up before and are not up again."""
    if not_taken_back:
        now = f"taken back except on {_names(not_taken_back)}, which takes itself back within {max(0.0, wait_s):.0f} s"
    else:
        now = "every switch was taken back"
    health = f"; not up again yet: {', '.join(unwell)}" if unwell else "; sessions are as before"
    is_as_before = isinstance(cause, SessionRestartError) and not not_taken_back and not unwell
    kind = SessionRestartError if is_as_before else TransactionError
    return kind(f"{cause.message}; {now}{health}", [*cause.problems, *_problems(not_taken_back)])


def half_confirmed(done: Sequence[str], errors: Mapping[str, DeviceError]) -> TransactionError:
    """Every switch was seen good, but not all could be told to keep the change."""
    return TransactionError(
        f"confirmed on {_names(done) or 'no switch'}, not on {_names(errors)}, which takes itself back; "
        "run again: the run finds what is missing and does only that",
        _problems(errors),
    )
