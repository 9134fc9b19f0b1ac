"""Names of the region: CoreDNS with one zone, made from the wiring's records.

It answers for that zone only. Anything else is refused at once, never left to a timeout: a
resolver that is silent costs every program on every host seconds at each look-up.
"""

from __future__ import annotations

import hashlib
import secrets
import socket

from lab import shell
from lab.context import Lab
from lab.services.service import Service
from lab.wiring import Wiring

PORT = 53


def service(lab: Lab) -> Service:
    """The name server on the services address."""
    directory = lab.home.services / "dns"
    address, domain = lab.wiring.services.address, lab.wiring.domain
    zone = directory / "zone"
    corefile = f"""\
{domain}:{PORT} {{
    bind {address}
    file {zone}
    errors
}}
"""
    return Service(
        name="dns",
        title="DNS (CoreDNS)",
        argv=(shell.program("coredns", lab.home.tools), "-conf", directory / "Corefile"),
        files={directory / "Corefile": corefile, zone: zone_text(lab.wiring)},
        listens=((address, PORT),),
        ready=lambda: answers(str(address), f"ns.{domain}"),
    )


def zone_text(wiring: Wiring) -> str:
    """The zone file. Its serial follows from its content."""
    records = {"ns": wiring.services.address, **wiring.records}
    lines = [f"{name} IN A {address}\n" for name, address in sorted(records.items())]
    serial = int(hashlib.sha256("".join(lines).encode()).hexdigest()[:7], 16)
    head = f"$ORIGIN {wiring.domain}.\n$TTL 60\n@ IN SOA ns hostmaster {serial} 3600 600 86400 60\n@ IN NS ns\n"
    return head + "".join(lines)


def answers(server: str, name: str) -> bool:
    """Whether a name server knows an address for a name."""
    number = secrets.randbits(16).to_bytes(2, "big")
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    question = number + b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + labels + b"\x00\x00\x01\x00\x01"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.settimeout(1)
        connection.connect((server, PORT))
        connection.send(question)
        reply = connection.recv(512)
    return reply[:2] == number and reply[3] & 0x0F == 0 and int.from_bytes(reply[6:8], "big") > 0
