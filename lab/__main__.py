"""The lab's command line: `python -m lab up`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from lab.context import Lab
from lab.down import down
from lab.errors import LabError
from lab.progress import progress
from lab.up import up

app = typer.Typer(
    name="lab",
    help="The lab's datacenter: switches, out-of-band network, services and machines on this bench.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
WiringFile = Annotated[Path | None, typer.Option("--wiring", help="Wiring file; default: the lab directory's own.")]
Device = Annotated[str, typer.Argument(help="Name of a switch or machine.")]
Port = Annotated[str, typer.Argument(help="Port of the device, such as swp1 or eth1.")]


@app.command("up")
def up_command(wiring: WiringFile = None, as_json: AsJson = False) -> None:
    """Make everything that is missing; run it again after an interrupt."""
    lab = Lab.load(wiring_file=wiring)
    with progress(as_json=as_json) as told:
        outcomes = up(lab, told)
        made = sum(o.changed for o in outcomes)
        text = f"the lab is up, {made} of {len(outcomes)} parts were made" if made else "the lab is up, nothing to do"
        told.summary(text, made=made, total=len(outcomes))


@app.command("down")
def down_command(
    wiring: WiringFile = None,
    purge: Annotated[bool, typer.Option("--purge", help="Also delete disks, logs, keys and certificates.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove the lab from this machine."""
    lab = Lab.load(wiring_file=wiring) if wiring else Lab.running()
    with progress(as_json=as_json) as told:
        down(lab, told, purge=purge)
        told.summary("the lab is gone")


def main() -> int:
    """Run a command; errors are told in words, without a traceback."""
    if os.geteuid() != 0:
        print("the lab makes network name spaces and mounts: run it as root", file=sys.stderr)
        return 1
    try:
        app(standalone_mode=False)
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted: `python -m lab up` goes on from here, `python -m lab down` removes all", file=sys.stderr)
        return 130
    except typer.Exit as end:
        return end.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
