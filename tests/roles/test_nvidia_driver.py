"""The role nvidia_driver, run on this machine against an apt-get and an nvidia-smi of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.clients.ansible import PlaybookFailedError, RunResult
from tests.role_run import program, run_role

pytestmark = pytest.mark.timeout(300)
KERNEL = (
    "Inst linux-image-6.12.48-amd64 (6.12.48-1 lab [amd64])\nInst nvidia-kernel-open-dkms (590.48.01-1 lab [amd64])"
)
REMOVAL = "Remv linux-image-amd64 [6.1.1-1]"


def says(folder: Path, name: str, text: str) -> None:
    program(folder, name, f"cat <<'END'\n{text}\nEND")


def run(folder: Path, part: str) -> RunResult:
    variables = {
        "nvidia_driver_version": "580.126.20",
        "nvidia_driver_gpu_count": 2,
        "__nvidia_driver_preferences": str(folder / "preferences"),
        "__nvidia_driver_trial_preferences": str(folder / "trial" / "preferences"),
    }
    return run_role(folder, "nvidia_driver", part, variables, host="tray", check=part == "install")


@pytest.mark.parametrize(
    ("transaction", "named"), [(KERNEL, "linux-image-6.12.48-amd64"), (REMOVAL, "linux-image-amd64")]
)
def test_a_transaction_that_changes_the_kernel_is_refused_by_name(tmp_path: Path, transaction: str, named: str) -> None:
    says(tmp_path, "apt-get", transaction)
    with pytest.raises(PlaybookFailedError, match=rf"would change the kernel: {named}\. Nothing was installed"):
        run(tmp_path, "install")


def test_gpus_are_counted_and_their_driver_is_compared(tmp_path: Path) -> None:
    says(tmp_path, "nvidia-smi", "0, GB200, GPU-a, 580.126.20\n1, GB200, GPU-b, 580.126.20")
    (report,) = run(tmp_path, "verify").reports["tray"]
    assert (report["version"], report["gpus"], report["reboot_required"]) == ("580.126.20", 2, False)


@pytest.mark.parametrize(
    ("shown", "found"),
    [
        ("0, GB200, GPU-a, 580.126.20", "shows 1 GPUs with driver 580.126.20"),
        ("0, GB200, GPU-a, 570.1\n1, GB200, GPU-b, 570.1", "shows 2 GPUs with driver 570.1"),
    ],
)
def test_a_lost_gpu_and_another_driver_are_told(tmp_path: Path, shown: str, found: str) -> None:
    says(tmp_path, "nvidia-smi", shown)
    with pytest.raises(PlaybookFailedError, match=f"{found}, expected 2 with 580.126.20"):
        run(tmp_path, "verify")


def test_a_host_without_the_program_is_told(tmp_path: Path) -> None:
    with pytest.raises(PlaybookFailedError, match="shows 0 GPUs with driver none"):
        run(tmp_path, "verify")
