"""The lab's command line: `python -m lab up`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from lab import devices, faults, prerequisites, shell, status
from lab.context import Lab
from lab.down import down
from lab.errors import LabError, told
from lab.home import Home, cache
from lab.progress import progress
from lab.up import up

_AGAIN = "run the command again: it goes on where this one stopped"


class _Told(TyperGroup):
    """Every end of a command is told in words."""

    def invoke(self, ctx: Any) -> Any:
        """Typer ends without a word on a broken pipe, wherever in a command it comes from, and on an interrupt."""
        try:
            return super().invoke(ctx)
        except OSError as error:
            words = f"lab {' '.join(sys.argv[1:])}"
            raise LabError(f"{words} did not end", found=f"{type(error).__name__}: {error}", remedy=_AGAIN) from error
        except KeyboardInterrupt:
            raise shell.Interrupted("interrupted", remedy=_AGAIN) from None


app = typer.Typer(
    name="lab",
    cls=_Told,
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
def up_command(
    wiring: WiringFile = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Only this part and what it needs, such as switch; repeatable.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make everything that is missing; run it again after an interrupt."""
    lab = Lab.load(wiring_file=wiring)
    with progress(as_json=as_json, words=("made", "there")) as told:
        outcomes = up(lab, told, only or ())
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
    home = Home.default()
    lab = Lab.load(home, wiring) if wiring else Lab.running(home) if Lab.is_described(home) else None
    with progress(as_json=as_json, words=("removed", "absent")) as told:
        down(home, lab, told, purge=purge)
        told.summary("the lab is gone")


@app.command("status")
def status_command(as_json: AsJson = False) -> None:
    """Show what is there; exit code 1 if something of it is missing."""
    found = status.look(Lab.running())
    if as_json:
        print(json.dumps(found.as_json()))
    else:
        status.show(found)
    if not found.is_up:
        raise typer.Exit(1)


class PowerAction(StrEnum):
    """What to do with a device's power."""

    ON = "on"
    OFF = "off"
    CUT = "cut"


@app.command("power")
def power_command(action: PowerAction, device: Device) -> None:
    """Switch a device on, off in order, or pull its plug (cut)."""
    lab = Lab.running()
    target = lab.device(device)
    if action is PowerAction.ON:
        changed = devices.turn_on(lab, target)
        more = devices.told_at_start(lab, target)
    else:
        changed, more = devices.turn_off(lab, target, cut=action is PowerAction.CUT), ""
    print(f"{device} is {'on' if action is PowerAction.ON else 'off'}" + ("" if changed else " already") + more)


class UpDown(StrEnum):
    """State of a link."""

    UP = "up"
    DOWN = "down"


class OnOff(StrEnum):
    """State of a fault."""

    ON = "on"
    OFF = "off"


@app.command("link")
def link_command(device: Device, port: Port, state: UpDown) -> None:
    """Pull a cable out of a port (down), or plug it in again (up)."""
    faults.pull(Lab.running(), device, port, out=state is UpDown.DOWN)


@app.command("silent")
def silent_command(device: Device, port: Port, state: OnOff) -> None:
    """Let a port eat every packet while its carrier stays (on), or heal it (off)."""
    faults.silence(Lab.running(), device, port, on=state is OnOff.ON)


@app.command("exec", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def exec_command(context: typer.Context, device: Device) -> None:
    """Run a command inside a device, past its network and its keys."""
    lab = Lab.running()
    words = devices.enter(lab, lab.device(device))
    os.execvp(words[0], [*words, *(context.args or ["bash"])])  # noqa: S606  # no shell is the point


@app.command("packages")
def packages_command() -> None:
    """Print the Debian packages that the lab's programs come from; those that are missing with a star."""
    for package, program in prerequisites.packages(prerequisites.FILE.read_text()).items():
        print(f"{package}{'' if shutil.which(program) else ' *'}")


@app.command("prune")
def prune_command(
    delete: Annotated[bool, typer.Option("--delete", help="Do it; without this, only show what would go.")] = False,
) -> None:
    """Remove programs, root trees and images from the cache that this checkout no longer names."""
    from lab import prune  # knows how everything is built: too much for the other commands to load

    entries = prune.stale(prune.pinned(Lab.running()), cache())
    freed = 0
    for entry in entries:
        gone = not delete or prune.remove(entry)
        freed += entry.size if gone else 0
        print(
            f"{entry.size >> 20:6} MiB  {entry.kind:8}  {entry.path.name}  {entry.what}" + ("" if gone else "  in use")
        )
    print(f"{len(entries)} entries, {freed >> 20} MiB " + ("freed" if delete else "to free with --delete"))


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def main() -> int:
    """Run a command; errors are told in words, without a traceback."""
    if os.geteuid() != 0:
        print("the lab makes network name spaces and mounts: run it as root", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, _interrupt)
    return told(app)


if __name__ == "__main__":
    sys.exit(main())
