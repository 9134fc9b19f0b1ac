"""Ways of bringing racks up are compared by what they did to the machines, and only where that was the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks import peers_deeds
from benchmarks.peers_deeds import Account
from components.clients.bmc.supplier import read_supplier
from components.plan.bring_up.compile import Plan, compile_bring_up
from components.spec.catalogue.bring_up import StepName
from components.spec.catalogue.firmware import Endpoint
from lab.fleet import description
from lab.fleet.describe import describe
from tests.bring_up_once import KINDS, ONCE
from tests.bring_up_world import SERIES, region_of


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    path = tmp_path_factory.mktemp("peers") / "fleet.json"
    path.touch(0o600)
    path.write_text(description.dump(describe(1, series=SERIES)))
    return compile_bring_up(region_of(1), read_supplier(path)[0], None)


@pytest.fixture
def account(plan: Plan) -> Account:
    """All that is done to a rack in good order."""
    every = [endpoint for rack in plan.racks for endpoint in rack.endpoints]
    return Account(
        deeds={e.name: ONCE[e.kind] for e in every}, reached=frozenset(e.name for e in every), requests=len(every)
    )


def test_what_is_done_to_a_kind_is_what_is_done_to_each_of_it(plan: Plan, account: Account) -> None:
    once = peers_deeds.once(plan, account)
    assert {kind.value: dict(deeds) for kind, deeds in once.items()} == ONCE
    uneven = replace(account, deeds={**account.deeds, f"{SERIES}001/2": {"flash": 11}})
    with pytest.raises(AssertionError, match=f"{SERIES}001/2"):
        peers_deeds.once(plan, uneven)


def test_more_work_less_work_and_another_end_are_not_the_same_work(plan: Plan, account: Account) -> None:
    once, name = peers_deeds.once(plan, account), f"{SERIES}001/power-shelf/1"
    peers_deeds.assert_same(plan, account, once)
    for flashes in (1, 3):
        other = replace(account, deeds={**account.deeds, name: {**account.deeds[name], "flash": flashes}})
        with pytest.raises(AssertionError, match=name):
            peers_deeds.assert_same(plan, other, once)
        peers_deeds.assert_same(plan, other, once, but=frozenset({"flash"}))
    with pytest.raises(AssertionError, match="not as the catalogue wants it"):
        peers_deeds.assert_same(plan, replace(account, reached=account.reached - {name}), once)


def test_only_what_is_beyond_an_undisturbed_run_is_too_many(plan: Plan, account: Account) -> None:
    once = peers_deeds.once(plan, account)
    assert not peers_deeds.repeated(plan, account, once)
    more = {f"{SERIES}001/1": {"flash": 22, "power_cycle": 1}, f"{SERIES}001/nvlink/1": {"flash": 5}}
    found = peers_deeds.repeated(plan, replace(account, deeds={**account.deeds, **more}), once)
    assert found == {"flash": 11, "power_cycle": 1}


def test_ironics_part_is_the_trays_without_their_firmware(plan: Plan) -> None:
    part = peers_deeds.part_of_ironic(plan)
    assert [e.kind for rack in part.racks for e in rack.endpoints] == [Endpoint.COMPUTE_TRAY] * KINDS["compute_tray"]
    steps = [step.step for step in part.bring_up.kind(Endpoint.COMPUTE_TRAY).steps]
    assert steps == [
        *(StepName.FIND, StepName.CREDENTIALS, StepName.MATCH),
        *(StepName.CONFIGURE, StepName.BOOT, StepName.POWER_OFF, StepName.HAND_OVER),
    ]
    assert plan.bring_up.kind(Endpoint.COMPUTE_TRAY).step(StepName.FLASH), "the plan itself is as it was"
