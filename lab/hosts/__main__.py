"""Hosts for whoever develops roles: `python -m lab.hosts COMMAND NAME...`, without Ironic and without the BMCs.

    seed     write the deploy image and a config drive onto the disk (all that was there is lost)
    on       give power, and wait for SSH if the disk was seeded
    off      power off in order
    cut      pull the plug
    status   power, boot override and medium (of all machines, if none is named)
    ssh      open a shell (or run a command: ssh NAME -- COMMAND) on a seeded machine
    exec     run a command inside, past network and keys: exec NAME -- COMMAND

The network and the keys must be there: `python -m lab up`, or the least of it with
`python -m lab up --only network --only pki --only secrets`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import sys
import time
from collections.abc import Callable, Sequence

from lab import devices
from lab.context import Lab
from lab.errors import LabError
from lab.hosts import power, seed, state
from lab.wiring import Machine


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="lab.hosts", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("command", choices=("seed", "on", "off", "cut", "status", "ssh", "exec"))
    parser.add_argument("names", nargs="*", help="machines")
    words = list(argv)
    rest = words[words.index("--") + 1 :] if "--" in words else []
    options = parser.parse_args(words[: words.index("--")] if "--" in words else words)
    lab = Lab.running()
    if not options.names and options.command != "status":
        parser.error(f"{options.command} needs the name of a machine")
    machines = [_machine(lab, name) for name in options.names] or list(lab.wiring.machines)
    if options.command in ("ssh", "exec"):
        return _enter(lab, machines[0], options.command, rest)
    actions: dict[str, Callable[[Lab, Machine], str]] = {
        "seed": _seed,
        "on": _on,
        "off": lambda lab, machine: "off" if devices.turn_off(lab, machine) else "was off",
        "cut": lambda lab, machine: "off" if devices.turn_off(lab, machine, cut=True) else "was off",
        "status": _status,
    }
    if options.command == "on":  # all at once: booting is what takes time
        for machine in machines:
            devices.turn_on(lab, machine)
    for machine in machines:
        print(f"{machine.name}: {actions[options.command](lab, machine)}", flush=True)
    return 0


def _machine(lab: Lab, name: str) -> Machine:
    machine = lab.wiring.machine(name)
    if machine is None:
        raise LabError(
            "there is no such machine", found=name, allowed=", ".join(machine.name for machine in lab.wiring.machines)
        )
    return machine


def _seed(lab: Lab, machine: Machine) -> str:
    seed.seed(lab, machine, lambda line: print(line, file=sys.stderr, flush=True))
    return "seeded"


def _on(lab: Lab, machine: Machine) -> str:
    devices.turn_on(lab, machine)
    if reason := power.why_it_does_not_boot(lab, machine):
        return f"on, but does not boot: {reason}"
    address = lab.wiring.records.get(machine.name)
    began = time.monotonic()
    while address and time.monotonic() < began + 30:
        with contextlib.suppress(OSError), socket.create_connection((str(address), 22), timeout=1) as connection:
            if connection.recv(4) == b"SSH-":
                return f"answers on SSH at {address} after {time.monotonic() - began:.1f} s"
        time.sleep(0.1)
    return f"on; no answer on SSH, see {power.place(lab, machine).console}"


def _status(lab: Lab, machine: Machine) -> str:
    settings = state.load(power.place(lab, machine).directory)
    powered = "on" if power.is_on(lab, machine) else "off"
    return f"{powered}, boots {settings.target} ({settings.enabled}), medium {settings.medium or 'none'}"


def _enter(lab: Lab, machine: Machine, how: str, command: list[str]) -> int:
    if how == "ssh":
        words = [*seed.ssh_command(lab, machine), *command]
        os.execvp(words[0], words)  # noqa: S606, the terminal is handed over
    print(power.execute(lab, machine, *(command or ["systemctl", "status", "--no-pager"])), end="")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except LabError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
