"""What a simulated machine boots, and what it does when its operating system ends."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from lab.hosts import state
from lab.hosts.state import Device, Override, State
from lab.hosts.supervisor import Next, after_exit

CD_ONCE = State(target=Device.CD, enabled=Override.ONCE, medium="cd.iso")


def test_a_new_machine_boots_its_disk(tmp_path: Path) -> None:
    assert state.take_boot(tmp_path) == (Device.HDD, State())


def test_an_override_that_counts_once_is_used_up_by_one_boot(tmp_path: Path) -> None:
    state.update(tmp_path, lambda _: CD_ONCE)
    first, _ = state.take_boot(tmp_path)
    second, after = state.take_boot(tmp_path)
    assert (first, second) == (Device.CD, Device.HDD)
    assert after.enabled is Override.DISABLED
    assert after.medium == "cd.iso", "the medium stays in the drive until it is ejected"


def test_a_continuous_override_counts_at_every_boot(tmp_path: Path) -> None:
    state.update(tmp_path, lambda _: CD_ONCE.with_target(Device.CD, Override.CONTINUOUS))
    assert [state.take_boot(tmp_path)[0] for _ in range(3)] == [Device.CD] * 3


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (CD_ONCE.with_medium(None), "an empty drive"),
        (CD_ONCE.with_target(Device.PXE, Override.CONTINUOUS), "there is no network boot"),
        (CD_ONCE.with_target(Device.CD, Override.DISABLED), "the override is disabled"),
        (CD_ONCE.with_target(Device.HDD, Override.CONTINUOUS), "the disk was asked for"),
    ],
)
def test_everything_else_falls_through_to_the_disk(settings: State, why: str) -> None:
    assert settings.boot()[0] is Device.HDD, why


def test_settings_survive_the_loss_of_power(tmp_path: Path) -> None:
    written = state.update(tmp_path, lambda _: CD_ONCE)
    assert state.load(tmp_path) == written == CD_ONCE


def test_changes_made_at_the_same_moment_are_all_kept(tmp_path: Path) -> None:
    def insert(number: int) -> None:
        state.update(tmp_path, lambda old: old.with_medium(f"{old.medium or ''}{number}"))

    writers = [threading.Thread(target=insert, args=(number,)) for number in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(state.load(tmp_path).medium or "") == sorted("01234567")


@pytest.mark.parametrize(
    ("code", "pressed", "expected"),
    [
        (133, False, Next.BOOT),  # reboot
        (133, True, Next.OFF),  # the button was pressed while it rebooted
        (0, False, Next.OFF),  # poweroff
        (1, False, Next.OFF),  # the payload crashed
        (-9, True, Next.OFF),  # the plug was pulled
        (None, True, Next.OFF),  # nothing could be booted, and then the power was cut
    ],
)
def test_only_a_reboot_boots_again(code: int | None, pressed: bool, expected: Next) -> None:
    assert after_exit(code, pressed=pressed) is expected
