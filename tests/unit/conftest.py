"""Fixtures of unit tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from components.clients.host import HostIdentity
from components.errors import DeviceError, Problem
from components.provider import rack_trays
from tests.rack_world import SHA, World


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A rack none of whose trays is known yet, with BMCs and hosts that answer."""

    async def identify(address: str, access: object) -> HostIdentity:
        return HostIdentity(hostname="host", image_sha256=SHA)

    async def knock(tray: str, *_: object) -> None:
        if tray in world.silent_bmcs:
            problem = Problem(path=tray, message="the BMC does not answer", remedy="check its cable")
            raise DeviceError(problem.message, [problem])

    monkeypatch.setattr(rack_trays, "identify", identify)
    monkeypatch.setattr(rack_trays, "knock", knock)
    world = World(tmp_path)
    yield world
