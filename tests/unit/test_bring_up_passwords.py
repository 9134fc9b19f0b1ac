"""Passwords of BMCs: on disk before they are set, for their owner only, and never sent where they were refused lately."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from components.clients.bmc.passwords import PasswordFolder
from components.clients.bmc.supplier import read_supplier
from components.clients.secrets import SecretError
from components.errors import SpecError
from components.plan.bring_up.work import EndpointWork, RackWork
from components.spec.catalogue.firmware import Endpoint
from lab.fleet import description
from lab.fleet.describe import describe

WORK = EndpointWork(name="r1/3", place="3", kind=Endpoint.COMPUTE_TRAY, serial="T1", address="https://127.64.1.3:8443")
RACK = RackWork(name="r1", feed="a", tray_kw=8, spares=2, endpoints=(WORK,))


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def store(folder: Path, clock: Clock, factory: str = "Factory-1") -> PasswordFolder:
    return PasswordFolder(folder, {"r1/3": factory}, now=clock)


async def test_a_password_is_on_disk_when_it_is_given_out_and_stays_the_same(tmp_path: Path) -> None:
    made = await store(tmp_path / "p", Clock()).open_rack(RACK)
    kept = json.loads((tmp_path / "p" / "r1.json").read_text())
    assert kept["r1/3"]["password"] == made["r1/3"].minted
    assert (await store(tmp_path / "p", Clock()).open_rack(RACK)) == made


async def test_only_the_owner_can_read_them_and_no_text_shows_them(tmp_path: Path) -> None:
    clock = Clock()
    folder = store(tmp_path / "p", clock)
    made = await folder.open_rack(RACK)
    await folder.note_set("r1", "r1/3")
    for path in (tmp_path / "p", *(tmp_path / "p").iterdir()):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
    assert made["r1/3"].minted not in repr(made)
    assert "Factory-1" not in repr(made)
    assert "Factory-1" not in "".join(p.read_text() for p in (tmp_path / "p").iterdir())


async def test_a_directory_that_others_may_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir(mode=0o755)
    with pytest.raises(SecretError, match="others may read"):
        store(tmp_path / "p", Clock())


async def test_what_was_seen_is_known_in_the_next_run(tmp_path: Path) -> None:
    clock = Clock()
    folder = store(tmp_path / "p", clock)
    await folder.open_rack(RACK)
    await folder.note_refused("r1", "r1/3")
    assert (await store(tmp_path / "p", clock).open_rack(RACK))["r1/3"].is_refused
    await folder.note_set("r1", "r1/3")
    found = (await store(tmp_path / "p", clock).open_rack(RACK))["r1/3"]
    assert (found.is_set, found.is_refused) == (True, False)


@pytest.mark.parametrize(
    ("later_s", "factory", "is_refused"),
    [(1, "Factory-1", True), (601, "Factory-1", False), (1, "Factory-2", False), (-300, "Factory-1", True)],
    ids=["lately", "after the lockout", "the list was corrected", "the clock was set back"],
)
async def test_a_refusal_counts_until_the_lockout_is_over_or_the_list_is_corrected(
    tmp_path: Path, later_s: float, factory: str, is_refused: bool
) -> None:
    clock = Clock()
    folder = store(tmp_path / "p", clock)
    await folder.open_rack(RACK)
    await folder.note_refused("r1", "r1/3")
    clock.now += later_s
    assert (await store(tmp_path / "p", clock, factory).open_rack(RACK))["r1/3"].is_refused is is_refused


async def test_a_line_that_a_kill_cut_off_counts_for_nothing(tmp_path: Path) -> None:
    folder = store(tmp_path / "p", Clock())
    await folder.open_rack(RACK)
    await folder.note_set("r1", "r1/3")
    with (tmp_path / "p" / "r1.log").open("a") as log:
        log.write('{"endpoint": "r1/3", "is": "ref')
    assert (await folder.open_rack(RACK))["r1/3"].is_set


def listed(folder: Path, mode: int = 0o600) -> Path:
    path = folder / "fleet.json"
    path.touch(mode)
    path.write_text(description.dump(describe(1)))
    return path


def test_the_supplier_s_list_is_read_with_its_passwords_apart(tmp_path: Path) -> None:
    racks, passwords = read_supplier(listed(tmp_path))
    assert (len(racks["sim-r001"]), len(passwords)) == (71, 71)
    assert not any(password in repr(racks) for password in passwords.values())


def test_a_supplier_s_list_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = listed(tmp_path)
    path.chmod(0o644)
    with pytest.raises(SpecError, match="others may read"):
        read_supplier(path)


def test_a_wrong_supplier_s_list_is_told_whole_and_without_values(tmp_path: Path) -> None:
    path = listed(tmp_path)
    data = json.loads(path.read_text())
    data["sim-r001"]["3"]["bmc_mac"] = "none"
    data["sim-r001"]["4"]["bmc_password"] = ""
    data["sim-r001"]["5"]["kind"] = "toaster"
    password = data["sim-r001"]["3"]["bmc_password"]
    path.write_text(json.dumps(data))
    with pytest.raises(SpecError) as caught:
        read_supplier(path)
    assert [p.path for p in caught.value.problems] == [
        "sim-r001/3/bmc_mac",
        "sim-r001/4/bmc_password",
        "sim-r001/5/kind",
    ]
    assert password not in str(caught.value)
