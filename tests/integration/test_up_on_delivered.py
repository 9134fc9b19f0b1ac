"""`region up REGION --fleet delivered:FOLDER` as an operator runs it on machines that stand in the racks.

The BMCs are those of the simulated fleet, which this command is not told: it has the supplier's list, the packages and
the authority's certificate, as it has for real ones. It runs in a copy of the project, whose region it is.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.bring_up_once import assert_everything_happened_once
from tests.bring_up_world import World, calm, world
from tests.regions import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    """One rack whose machines are a thousand times as fast as the command believes."""
    with world(tmp_path_factory.mktemp("delivery"), 1, calm(time={"compression": 1000})) as there:
        (there.folder / "ca.crt").symlink_to(there.folder / "tls" / "ca.crt")
        yield there


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("components", "stacks", "lab", "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "pictures"))
    return folder


def region(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command of `region`, with nobody at the terminal."""
    return subprocess.run(
        [sys.executable, "-c", "from stacks.cli.main import main; main()", *words],
        cwd=project,
        env={**os.environ, "NO_COLOR": "1", "PYTHONPATH": str(project)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def up(project: Path, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return region(project, "up", "essonne", "--fleet", f"delivered:{folder}", *more)


def last(text: str) -> dict[str, Any]:
    return json.loads(text.splitlines()[-1])


def test_nothing_is_touched_before_somebody_has_confirmed_what_is_ahead(project: Path, delivery: World) -> None:
    asked = up(project, delivery.folder)
    said = " ".join(asked.stderr.split())
    assert asked.returncode == 1
    assert "1 rack, 71 endpoints" in said
    assert "is brought to the firmware of dgx-gb200 1.3" in said
    assert "18 compute trays: FW_BMC_0 GB200Nvl-25.06-A" in said
    assert "nothing was touched; --yes answers for you" in said
    assert not delivery.entries()


def test_a_delivery_that_lacks_parts_is_refused_with_all_of_them(project: Path, tmp_path: Path) -> None:
    refused = up(project, tmp_path, "--yes")
    said = " ".join(refused.stderr.split())
    assert refused.returncode == 2
    for part in ("fleet.json", "firmware", "ca.crt"):
        assert str(tmp_path / part) in said


def test_the_rack_is_brought_up_once_and_what_is_kept_is_the_regions_own(project: Path, delivery: World) -> None:
    done = up(project, delivery.folder, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    result = last(done.stdout)
    assert result["racks"] == {"handed-over": 1, "handed-over-short": 0, "isolated": 0}
    assert result["ledger"]["added"] == 320
    assert result["ledger"]["away"], "this region has no key to its store here, and that is said"
    own = project / ".region" / "essonne"
    assert_everything_happened_once(delivery, journal=own / "bring-up" / "journal.db")
    assert (own / "bring-up" / "nodes" / "ess-r001.json").is_file()
    factory = {each["bmc_password"] for each in json.loads(delivery.supplier.read_text())["ess-r001"].values()}
    logins = json.loads((own / "bring-up" / "passwords" / "ess-r001.json").read_text())
    minted = {each["password"] for each in logins.values()}
    assert len(minted) == 71
    assert not [word for word in factory | minted if word in done.stdout + done.stderr]

    checks = last(region(project, "ledger", "verify", "essonne", "--json").stdout)["checks"]
    assert {c["name"]: c["status"] for c in checks} == {"ledger.here": "ok", "ledger.store": "fail"}


def test_a_second_run_looks_and_changes_nothing(project: Path, delivery: World) -> None:
    before = delivery.entries()
    again = up(project, delivery.folder, "--yes")
    said = " ".join(again.stderr.split())
    assert again.returncode == 0, again.stderr
    assert "1 rack handed over before" in said
    assert "nothing to change" in said
    assert delivery.entries() == before
