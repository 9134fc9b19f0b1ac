"""What is removed from the cache: what nothing names and nobody is making, and only when told to."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from lab import prune
from lab.errors import LabError
from lab.images import store


def filled(cache: Path) -> dict[str, Path]:
    made: dict[str, Path] = {}
    for kind, name in (
        ("programs", "p1"),
        ("programs", "p2"),
        ("roots", "r1"),
        ("images", "i1"),
        ("images", "i2.part"),
    ):
        made[name] = cache / kind / name
        made[name].mkdir(parents=True)
        (made[name] / "content").write_bytes(b"x" * 10_000)
        (cache / kind / f"{name}.lock").touch()
    (cache / "locks").mkdir()
    return made


def test_what_is_named_stays_and_the_rest_is_shown_with_its_size(tmp_path: Path) -> None:
    made = filled(tmp_path)
    found = prune.stale({made["p1"], made["i1"]}, tmp_path)
    assert [entry.path for entry in found] == [made["p2"], made["r1"], made["i2.part"]]
    assert all(entry.size >= 10_000 for entry in found)
    assert found[0].what == "content"
    assert all(path.exists() for path in made.values()), "looking removes nothing"


def test_an_entry_that_is_named_by_nothing_else_is_no_loss_to_the_disk(tmp_path: Path) -> None:
    made = filled(tmp_path)
    (tmp_path / "served").hardlink_to(made["i1"] / "content")
    (entry,) = prune.stale(set(made.values()) - {made["i1"]}, tmp_path)
    assert entry.size == 0, "the lab serves the same file"


def test_a_removed_entry_is_gone_and_one_that_somebody_makes_stays(tmp_path: Path) -> None:
    made = filled(tmp_path)
    with (tmp_path / "images" / "i2.lock").open("w") as building:
        fcntl.flock(building, fcntl.LOCK_EX)
        removed = {entry.path.name: prune.remove(entry) for entry in prune.stale({made["p1"]}, tmp_path)}
    assert removed == {"p2": True, "r1": True, "i1": True, "i2.part": False}
    assert {name for name, path in made.items() if path.exists()} == {"p1", "i2.part"}


def test_an_entry_that_is_mounted_somewhere_stays(tmp_path: Path) -> None:
    point = next(
        line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines() if len(line.split()[4]) > 5
    )
    assert not prune.remove(prune.Stale(kind="roots", path=Path(point), size=0, what=""))


def test_while_noting_nothing_is_built_and_what_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(_: Path) -> None:
        raise AssertionError("nothing may be built")

    monkeypatch.setenv("GPUREGION_CACHE", str(tmp_path))
    (tmp_path / "images" / "there").mkdir(parents=True)
    with store.only_noting() as noted:
        store.build_once("there", "an image", build, store.silent)
        with pytest.raises(LabError, match="another image is not in the cache"):
            store.build_once("absent", "another image", build, store.silent)
    assert {path.name for path in noted} == {"there", "absent"}
