"""The signed index of the region's apt repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lab.home import Home
from lab.images import apt_repository, packages, store


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A lab whose repository has one package."""
    monkeypatch.setenv("GPUREGION_CACHE", str(tmp_path / "cache"))
    made = Home(path=tmp_path / "lab")
    made.make()
    library = next(p for p in packages.read() if p.name == "libnvidia-ml1")

    def collect(report: store.Report, log: Path) -> list[Path]:
        return [packages.build(library, {}, report, log)]

    monkeypatch.setattr(apt_repository, "collect", collect)
    return made


def verified(home: Home, tmp_path: Path) -> bool:
    """Whether the index is signed by the key that hosts are given."""
    ring = tmp_path / "ring.gpg"
    subprocess.run(["gpg", "--batch", "--yes", "--dearmor", "-o", ring, home.pki / "apt.asc"], check=True)
    release = home.apt / "dists" / "bookworm" / "InRelease"
    return subprocess.run(["gpgv", "--keyring", ring, release], capture_output=True, check=False).returncode == 0


def test_the_index_is_signed_by_the_key_that_hosts_are_given(home: Home, tmp_path: Path) -> None:
    assert apt_repository.publish(home)
    assert verified(home, tmp_path)
    index = (home.apt / "dists/bookworm/main/binary-amd64/Packages").read_text()
    assert "Filename: pool/libnvidia-ml1_580.126.20-1_amd64.deb\n" in index
    assert (home.secrets / "apt_signing_key.asc").stat().st_mode & 0o777 == 0o600


def test_a_second_run_changes_nothing_and_keeps_the_key(home: Home) -> None:
    apt_repository.publish(home)
    key = (home.pki / "apt.asc").read_bytes()
    assert not apt_repository.publish(home)
    assert (home.pki / "apt.asc").read_bytes() == key


def test_what_is_no_longer_listed_leaves_the_repository(home: Home) -> None:
    (home.apt / "pool").mkdir()
    (home.apt / "pool" / "old_1_amd64.deb").write_text("")
    apt_repository.publish(home)
    assert [file.name for file in (home.apt / "pool").iterdir()] == ["libnvidia-ml1_580.126.20-1_amd64.deb"]
