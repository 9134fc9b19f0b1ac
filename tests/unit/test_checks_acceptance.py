"""Trays are accepted by the checks: all of theirs, and once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from components.checks.acceptance import accepted
from components.checks.result import CheckResult, Status
from components.clients.acceptance_folder import LedgerFolder
from components.clients.acceptance_ledger import Ledger
from components.engine.acceptance import Entry, Line
from components.plan.model import RegionPlan
from stacks import acceptance
from stacks.acceptance import record_accepted
from tests.regions import lab, plan_of


def passed(plan: RegionPlan) -> list[CheckResult]:
    """Two checks of each tray, all well."""
    return [
        CheckResult(name=f"{layer}.{host.name}", status=Status.OK, expected="active", found="active")
        for host in plan.hosts
        for layer in ("substrate.ironic", "cluster.node")
    ]


@pytest.fixture
def plan() -> RegionPlan:
    return plan_of(lab())


def test_trays_whose_checks_all_pass_are_accepted_with_what_was_found(plan: RegionPlan) -> None:
    found = accepted(plan, passed(plan))
    assert [tray.serial for tray in found] == [host.serial for host in plan.hosts]
    host = plan.hosts[0]
    assert found[0].device == f"{host.rack}/{host.slot}"
    assert found[0].checks == {f"substrate.ironic.{host.name}": "active", f"cluster.node.{host.name}": "active"}


@pytest.mark.parametrize("status", [Status.FAIL, Status.WARN, Status.SKIP])
def test_a_tray_with_one_check_that_is_not_ok_is_not(plan: RegionPlan, status: Status) -> None:
    results = passed(plan)
    results[1] = replace(results[1], status=status)
    assert [tray.serial for tray in accepted(plan, results)] == [host.serial for host in plan.hosts[1:]]


def test_a_tray_that_only_the_cluster_was_asked_about_is_not(plan: RegionPlan) -> None:
    assert not accepted(plan, [r for r in passed(plan) if r.name.startswith("cluster.")])


def test_a_machine_that_was_not_received_is_not(plan: RegionPlan) -> None:
    bare = replace(
        plan, racks=tuple(replace(r, hosts=tuple(replace(h, serial="") for h in r.hosts)) for r in plan.racks)
    )
    assert not accepted(bare, passed(plan))


def test_what_is_accepted_is_recorded_once(plan: RegionPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = LedgerFolder(tmp_path)
    monkeypatch.setattr(acceptance, "open_ledger", lambda plan: Ledger.open("lab", folder, None))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    assert asyncio.run(record_accepted(plan, passed(plan))).added == len(plan.hosts)
    later = [replace(result, found="active since Tuesday") for result in passed(plan)]
    assert asyncio.run(record_accepted(plan, later)).added == 0
    (batch,) = folder.batches()
    lines = [Entry.of(Line.read(text).body) for text in folder.read(batch).splitlines()]
    assert {entry.event for entry in lines} == {"accepted"}
