"""Files are whole, whoever is killed in the middle."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from components.clients.acceptance_folder import LedgerFolder
from components.clients.whole_file import write_whole


class _KilledError(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process ends when it waits for the disk."""

    def fsync(_: int) -> None:
        raise _KilledError

    monkeypatch.setattr(os, "fsync", fsync)


def test_a_file_is_replaced_with_its_mode(tmp_path: Path) -> None:
    for content in (b"one", b"two"):
        write_whole(tmp_path / "file", content)
    assert (tmp_path / "file").read_bytes() == b"two"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.usefixtures("killed")
def test_a_write_that_is_killed_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(_KilledError):
        write_whole(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"


@pytest.mark.usefixtures("killed")
def test_half_a_batch_from_another_machine_is_no_batch(tmp_path: Path) -> None:
    folder = LedgerFolder(tmp_path)
    with pytest.raises(_KilledError):
        folder.take("000001.ledger", b"half")
    assert folder.batches() == []
