"""A machine that has power: `python -m lab.hosts.supervisor NAME`.

Boots what the firmware's settings say, waits for the operating system to end, and boots again if it
asked for a reboot. SIGTERM is the power button (orderly), SIGINT pulls the plug.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from enum import StrEnum
from pathlib import Path
from types import FrameType

from lab import processes
from lab.errors import LabError
from lab.home import Home, write_atomically
from lab.hosts import events, firmware, groups, state
from lab.hosts.place import Place

_REBOOT = 133
"""How nspawn ends when the payload asked for a reboot."""
_ENTER = Path(__file__).with_name("enter.sh")


class Next(StrEnum):
    """What follows the end of an operating system."""

    BOOT = "boot"
    OFF = "off"


def after_exit(code: int | None, *, pressed: bool) -> Next:
    """A reboot boots again unless the button was pressed meanwhile; every other end is a power-off."""
    return Next.BOOT if code == _REBOOT and not pressed else Next.OFF


class Button:
    """The power button and the plug, as signals."""

    def __init__(self) -> None:
        self.pressed = threading.Event()
        self.forced = False
        self.child: subprocess.Popen[bytes] | None = None
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)
        # Whoever started us has blocked them until now.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        self.pressed.set()
        self.forced |= number == signal.SIGINT
        self.act()

    def act(self) -> None:
        """Pass on to the running operating system what was pressed."""
        child = self.child
        if child is None or child.returncode is not None:
            return
        if not self.forced:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGTERM)  # nspawn asks its payload for an orderly end
            return
        # SIGKILL for nspawn would leave its payload running: the payload's init must die.
        for pid in processes.children(child.pid) or [child.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def run(place: Place) -> None:
    """Be the machine until its power ends."""
    button = Button()
    record = events.path(place.home)
    following = Next.BOOT
    # What a machine says on its console is for its owner only.
    console = os.open(place.console, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    while following is Next.BOOT:
        code = _one_boot(place, button, console)
        following = after_exit(code, pressed=button.pressed.is_set())
    how = "forced" if button.forced else "button" if button.pressed.is_set() else "by its system"
    events.record(record, place.name, "power_off", how=how)


def _one_boot(place: Place, button: Button, console: int) -> int | None:
    """Boot once and wait for the end; how nspawn ended, or nothing if nothing could be booted."""
    boot = firmware.Boot(place)
    began = time.monotonic()
    device, settings = state.take_boot(place.directory)
    try:
        command = boot.attach(device, settings)
        _say(console, f"{place.name} boots from {device} (firmware {time.monotonic() - began:.1f} s)")
        events.record(events.path(place.home), place.name, "boot", device=str(device))
        made = groups.make(place.unit, boot.facts.memory_mib)
        write_atomically(place.firmware_told, "")
        button.child = subprocess.Popen(
            [_ENTER, *made, "--", *command],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
        )
        if button.pressed.is_set():  # before there was a child to pass it on to
            button.forced = True
            button.act()
        return button.child.wait()
    except Exception as error:  # whatever is wrong, a machine says so and keeps its power
        _say(console, f"{place.name} does not boot: {error}")
        if not isinstance(error, LabError):
            traceback.print_exc()  # a fault of the lab's own: into the supervisor's log
        write_atomically(place.firmware_told, str(error) or type(error).__name__)
        events.record(events.path(place.home), place.name, "no_boot", reason=str(error))
        button.pressed.wait()
        return None
    finally:
        button.child = None
        groups.remove(place.unit)
        boot.detach()


def _say(console: int, text: str) -> None:
    os.write(console, f"=== {text}\n".encode())


if __name__ == "__main__":
    run(Place(home=Home.default(), name=sys.argv[1]))
