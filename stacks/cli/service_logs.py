"""What the replicas of a service wrote, in the order in which they wrote it.

kubectl reads many containers side by side and prints each as its answer comes, so what a replica did is often told
before what led to it. On demand it gives the time of each line too, and by that they are put in order here.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

_STREAMS = 1000
"""Containers read at one time; kubectl refuses more than five unless told, and ten replicas have twenty."""

_START = datetime.min.replace(tzinfo=UTC)


def in_order(lines: Iterable[str]) -> list[str]:
    """Lines of `kubectl logs --prefix --timestamps` by their time, which is taken out. Those of one time stay as they came.

    A line without a time (kubectl's own words) is kept whole, behind the line that it came after.
    """
    timed: list[tuple[datetime, str]] = []
    time = _START
    for line in lines:
        prefix, _, rest = line.partition(" ")
        stamp, _, text = rest.partition(" ")
        try:
            time = datetime.fromisoformat(stamp)
        except ValueError:
            timed.append((time, line))
        else:
            timed.append((time, f"{prefix} {text}"))
    return [line for _, line in sorted(timed, key=lambda each: each[0])]


def show_logs(kubectl: Sequence[str], *, selector: str, tail: int, follow: bool, previous: bool) -> bool:
    """Print what the containers of the chosen pods wrote. False where kubectl failed, whose words are then on stderr.

    Following, lines are printed as they come; at most `tail` older lines of each container.
    """
    command = [*kubectl, "logs", "--prefix", f"--tail={tail}", "-l", selector, "--all-containers"]
    command += [f"--max-log-requests={_STREAMS}", *(["--previous"] if previous else [])]
    if follow:
        return subprocess.run([*command, "--follow"], check=False).returncode == 0
    done = subprocess.run([*command, "--timestamps"], stdout=subprocess.PIPE, text=True, errors="replace", check=False)
    sys.stdout.writelines(f"{line}\n" for line in in_order(done.stdout.split("\n")[:-1]))
    return done.returncode == 0
