"""The region's own packages, and the stand-in of nvidia-smi."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from lab.images import apt_repository, packages, store
from lab.images.packages import Package
from lab.toolchain.catalogue import Use, catalogue

PACKAGES = packages.read()
NVIDIA_SMI = packages.FOLDER / "nvidia-driver-cuda" / "usr" / "bin" / "nvidia-smi"


def named(name: str) -> Package:
    return next(package for package in PACKAGES if package.name == name)


def test_versions_of_upstream_programs_are_those_of_the_toolchain() -> None:
    assert named("kubelet").full_version == catalogue().modules["kubernetes"].version.removeprefix("v")
    assert named("containerd").full_version == catalogue().modules["containerd"].version.removeprefix("v")


def test_every_program_for_packages_is_in_one() -> None:
    packed = {program for package in PACKAGES for program in package.programs}
    assert packed == {name for name, p in catalogue().programs.items() if Use.PACKAGE in p.used_by}


def test_parts_of_a_driver_need_each_other_in_one_version() -> None:
    control = named("nvidia-driver-cuda").control(1)
    assert "Version: 580.126.20-1\n" in control
    assert "Depends: nvidia-kernel-open-dkms (= 580.126.20-1), libnvidia-ml1 (= 580.126.20-1)\n" in control


@pytest.mark.parametrize("package", [p for p in PACKAGES if p.of is None], ids=lambda p: p.file_name)  # pyright: ignore
def test_a_stand_in_says_so_where_people_look(package: Package) -> None:
    control = package.control(1)
    assert package.stand_in
    assert "stand-in of the lab" in control
    assert "\n It has the name of the real package and nothing of its content.\n" in control


def test_a_later_driver_would_change_the_kernel() -> None:
    later = [p for p in PACKAGES if p.name == "nvidia-kernel-open-dkms" and p.full_version.startswith("590.")]
    assert any(re.match(r"linux-image-amd64 \(>=", need) for package in later for need in package.depends)
    assert not any("linux-image" in need for p in PACKAGES if p.full_version.startswith("580.") for need in p.depends)


def test_equal_content_makes_an_equal_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents: list[bytes] = []
    for clone in ("one", "other"):
        monkeypatch.setenv("GPUREGION_CACHE", str(tmp_path / clone))
        file = packages.build(named("nvidia-driver-cuda"), {}, store.silent, tmp_path / "log")
        assert file.name == "nvidia-driver-cuda_580.126.20-1_amd64.deb"
        contents.append(file.read_bytes())
    assert contents[0] == contents[1]


def smi(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["python3", NVIDIA_SMI, *arguments], capture_output=True, text=True, check=False)


def test_nvidia_smi_answers_a_query_for_each_gpu() -> None:
    answer = smi("--query-gpu=index,name,uuid,driver_version", "--format=csv,noheader")
    lines = [line.split(", ") for line in answer.stdout.splitlines()]
    assert [line[0] for line in lines] == ["0", "1", "2", "3"]
    assert len({line[2] for line in lines}) == 4
    assert all(re.fullmatch(r"GPU-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", line[2]) for line in lines)


def test_nvidia_smi_prints_a_header_and_units_unless_told_not_to() -> None:
    assert smi("--query-gpu=index,memory.total", "--format=csv").stdout.splitlines()[:2] == [
        "index, memory.total",
        "0, 188416 MiB",
    ]
    assert smi("--query-gpu=memory.total", "--format=csv,noheader,nounits").stdout.splitlines()[0] == "188416"


def test_nvidia_smi_lists_and_shows_a_table() -> None:
    assert re.match(r"GPU 0: Simulated GPU \(UUID: GPU-", smi("-L").stdout)
    assert "(simulated)" in smi().stdout


def test_nvidia_smi_refuses_what_it_does_not_know() -> None:
    assert smi("--query-gpu=colour", "--format=csv").returncode == 2
    assert smi("--reset").returncode == 2


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("conntrack_1%3a1.4.7-1+b2_amd64.deb", "conntrack_1.4.7-1+b2_amd64.deb"),
        ("runc_1.1.5+ds1-1_amd64.deb", "runc_1.1.5+ds1-1_amd64.deb"),
    ],
)
def test_a_repository_has_no_epoch_in_a_files_name(file: str, name: str) -> None:
    assert apt_repository.pool_name(file) == name
