"""What the role kubernetes tells a kubelet that runs, against a systemctl of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.role_run import asked, program, run_role

pytestmark = pytest.mark.timeout(300)
SYSTEMCTL = """case "$1" in
    show) echo LoadState=loaded; echo ActiveState=active ;;
    is-enabled) echo enabled ;;
esac
"""


def configured(folder: Path, *parts: str, sysctls: tuple[str, ...] = ("net.ipv4.tcp_retries2",)) -> tuple[int, int]:
    """Changes that these parts of the role made, and starts of the kubelet so far."""
    program(folder, "systemctl", SYSTEMCTL)
    variables = {
        "__kubernetes_patches": str(folder / "patches"),
        "__kubernetes_image_credentials": str(folder / "credentials.yaml"),
        "__kubernetes_kubelet_extra": str(folder / "extra"),
        "__kubernetes_stamp": str(folder / "loaded"),
        "kubernetes_registry": "registry.internal:5000",
        "kubernetes_unsafe_sysctls": list(sysctls),
    }
    changes = sum(run_role(folder, "kubernetes", part, variables).changed for part in parts)
    return changes, len(asked(folder, "restart kubelet.service")) if (folder / "asked").exists() else 0


def test_a_kubelet_that_runs_is_started_again_for_what_it_reads_at_its_start_and_for_nothing_else(
    tmp_path: Path,
) -> None:
    _, starts = configured(tmp_path, "configure", "service")
    assert (tmp_path / "extra").read_text() == "KUBELET_EXTRA_ARGS=--allowed-unsafe-sysctls=net.ipv4.tcp_retries2\n"
    assert starts == 1
    assert configured(tmp_path, "configure", "service") == (0, 1)
    _, starts = configured(tmp_path, "configure", "service", sysctls=())
    assert (tmp_path / "extra").read_text() == "KUBELET_EXTRA_ARGS=\n"
    assert starts == 2


def test_a_run_that_was_killed_before_the_restart_is_completed_by_the_next(tmp_path: Path) -> None:
    configured(tmp_path, "configure")
    assert configured(tmp_path, "configure", "service")[1] == 1
