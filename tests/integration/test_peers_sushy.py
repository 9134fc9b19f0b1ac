"""The script that the engine is measured against does the whole work, as the simulator's ledger has it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import peers_deeds, peers_sushy
from benchmarks.peers_deeds import Account
from benchmarks.peers_sushy_machine import Script
from components.clients.bmc.supplier import read_supplier
from components.plan.bring_up.compile import Plan, compile_bring_up
from components.spec.catalogue.firmware import Endpoint
from tests.bring_up_once import ONCE, kind_of
from tests.bring_up_world import SERIES, World, calm, world

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

FEW = ("power-shelf/1", "nvlink/1", "1", "1/left-bf3", "1/right-bf3")
"""Of each kind, those of one tray."""


def few(there: World) -> tuple[Plan, dict[str, str]]:
    """A plan of few endpoints, and factory passwords."""
    delivered, factory = read_supplier(there.supplier)
    plan = compile_bring_up(there.region, delivered, None)
    racks = tuple(replace(r, endpoints=tuple(e for e in r.endpoints if e.place in FEW)) for r in plan.racks)
    return replace(plan, racks=racks), dict(factory)


def by_script(there: World, *, by_kind: bool = True) -> tuple[Plan, tuple[int, dict[str, str]]]:
    """Let the script bring the few up."""
    plan, factory = few(there)
    script = Script(
        plan=plan,
        packages={kind: (there.files.firmware / f"{kind}.fwpkg").read_bytes() for kind in Endpoint},
        factory=factory,
        ca=str(there.files.ca),
        compression=there.compression,
    )
    script.mint(there.folder / "minted.json")
    return plan, peers_sushy.bring_up(script, threads=4, by_kind=by_kind)


def ended(there: World, plan: Plan) -> Account:
    there.stop()  # its ledger and its last states are written at the end
    return peers_deeds.read(there.folder, plan)


@pytest.mark.parametrize("by_kind", [True, False])
def test_the_script_does_to_each_endpoint_what_the_engine_does(tmp_path: Path, by_kind: bool) -> None:
    with world(tmp_path, 1) as there:
        plan, (first, failed) = by_script(there, by_kind=by_kind)
        assert (first, failed) == (0, {})
        account = ended(there, plan)
    assert account.deeds == {f"{SERIES}001/{place}": ONCE[kind_of(f"{SERIES}001/{place}")] for place in FEW}
    assert len(account.reached) == len(FEW)
    assert (tmp_path / "minted.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("by_kind", [True, False])
def test_a_dead_endpoint_holds_nobody_else_of_the_script_back(tmp_path: Path, by_kind: bool) -> None:
    shelf = f"{SERIES}001/power-shelf/1"
    with world(tmp_path, 1, calm(faults=[{"fault": "dead", "endpoints": [shelf]}])) as there:
        plan, (first, failed) = by_script(there, by_kind=by_kind)
        assert (first, set(failed)) == (1, {shelf})
        account = ended(there, plan)
    assert account.reached == {f"{SERIES}001/{place}" for place in FEW} - {shelf}
