"""A small delay link: carries packets between namespaces and holds each for as long as its way is.

It stands in for distance where the kernel has no netem: one TUN device in each namespace, one program that reads
them all. It knows no loss, no jitter and no limit of bandwidth. Run as `python -m lab.edges.delay_link FILE`;
commands come as lines on standard input (`cut SITE`, `join SITE`), and its end is the end of the link.
"""

from __future__ import annotations

import fcntl
import heapq
import json
import os
import select
import struct
import sys
import time
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from lab.edges import spaces

DEVICE = "wan0"
_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_PACKET = 65535


class DelayLink:
    """Packets under way, each with the time at which it arrives."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.delays_s = {pair: ms / 1000 for pair, ms in document["one_way_ms"].items()}
        self.site_of: dict[int, str] = {}
        self.device_of: dict[bytes, int] = {}
        self.cut: set[str] = set()
        self._under_way: list[tuple[float, int, int, str, bytes]] = []
        self._count = 0
        for point in document["points"]:
            spaces.enter(point["namespace"])
            device = _open_tun()
            self.site_of[device] = point["site"]
            self.device_of |= {IPv4Address(address).packed: device for address in point["addresses"]}

    def run(self, commands: int) -> None:
        """Until the commands end."""
        devices = list(self.site_of)
        while True:
            wait = max(0.0, self._under_way[0][0] - time.monotonic()) if self._under_way else None
            readable, _, _ = select.select([commands, *devices], [], [], wait)
            if commands in readable and not self._obey(os.read(commands, 4096)):
                return
            now = time.monotonic()
            for device in readable:
                if device != commands:
                    self._take(device, now)
            self._deliver(time.monotonic())

    def _take(self, device: int, now: float) -> None:
        try:
            packet = os.read(device, _PACKET)
        except OSError:
            return
        if packet[0] >> 4 != 4:  # the kernel's own chatter over IPv6
            return
        target = self.device_of.get(packet[16:20])
        if target is not None:
            here, there = self.site_of[device], self.site_of[target]
            self._count += 1
            due = now + self.delays_s[f"{here} {there}"]
            heapq.heappush(self._under_way, (due, self._count, target, here, packet))

    def _deliver(self, now: float) -> None:
        while self._under_way and self._under_way[0][0] <= now:
            _, _, target, origin, packet = heapq.heappop(self._under_way)
            if not {origin, self.site_of[target]} & self.cut:
                try:
                    os.write(target, packet)
                except OSError:
                    continue

    def _obey(self, text: bytes) -> bool:
        for line in text.decode().splitlines():
            verb, _, site = line.partition(" ")
            if verb == "cut":
                self.cut.add(site)
            elif verb == "join":
                self.cut.discard(site)
        return bool(text)


def _open_tun() -> int:
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH", DEVICE.encode(), _IFF_TUN | _IFF_NO_PI))
    return device


def main() -> None:
    """Open all devices, say so, and carry."""
    link = DelayLink(json.loads(Path(sys.argv[1]).read_text()))
    print("ready", flush=True)
    link.run(sys.stdin.fileno())


if __name__ == "__main__":
    main()
