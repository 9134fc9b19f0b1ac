"""Time of the region: chronyd that serves the bench machine's clock and never sets it.

It runs with a configuration, a pid file and an address of its own, beside whatever keeps this
machine's clock right, and knows nothing of it.
"""

from __future__ import annotations

import socket

from lab import roots
from lab.context import Lab
from lab.home import RUN
from lab.services.service import Service
from lab.switches import root as factory

PORT = 123
# How far from a true clock it says it is: hosts prefer any better source they may have.
_STRATUM = 8


def service(lab: Lab) -> Service:
    """The time server on the services address."""
    address = lab.wiring.services.address
    config = lab.home.services / "ntp" / "chrony.conf"
    pid_file = RUN / "chronyd.pid"
    text = f"""\
local stratum {_STRATUM}
allow {lab.wiring.oob.network}
bindaddress {address}
port {PORT}
# No control channel: nothing to be changed at run time, and none to be confused with the host's.
cmdport 0
bindcmdaddress /
pidfile {pid_file}
user root
"""
    return Service(
        name="ntp",
        title="time (chronyd)",
        # -x: never touch the clock. -d: stay in the foreground, log to the standard error.
        argv=(*roots.program(factory.SPEC.path, "usr/sbin/chronyd"), "-x", "-d", "-f", config),
        files={config: text},
        stale=(pid_file,),
        ready=lambda: answers(str(address)),
    )


def answers(server: str) -> bool:
    """Whether a time server tells a time that it takes for synchronised."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.settimeout(1)
        connection.connect((server, PORT))
        connection.send(b"\x23" + bytes(47))  # version 4, client
        reply = connection.recv(128)
    return len(reply) >= 48 and reply[0] & 0x07 == 4 and 0 < reply[1] < 16
