"""Renders held to the programs and schemas of those who read them, where this machine can have them.

Kea, BIND and Prometheus are taken where they are installed (Debian's kea-dhcp4-server, bind9-utils and
prometheus; the project does not install them); Kueue's schema comes as a Go module. NVUE has no public schema, and SONiC's YANG models come in no
package: what those were held to is said in docs/guides/renders.md.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from components.plan import RegionPlan
from components.plan.renders import RENDERS

pytestmark = pytest.mark.integration

KUEUE = "sigs.k8s.io/kueue@v0.17.0"
Program = Callable[[str], str]


@pytest.fixture
def program() -> Program:
    """`program("kea-dhcp4")` is its path; the test is left out where it is not installed."""

    def find(name: str) -> str:
        path = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
        if path is None:
            pytest.skip(f"{name} is not installed")
        return path

    return find


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    settings = {**os.environ, "KEA_PIDFILE_DIR": str(cwd), "KEA_LOCKFILE_DIR": str(cwd)}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=settings, timeout=110)


@pytest.mark.parametrize("region", ["lab_plan", "essonne_rack"])
def test_kea_accepts_its_configuration(
    region: str, program: Program, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    ((path, text),) = RENDERS["dhcp"].files(request.getfixturevalue(region))
    (tmp_path / path).write_text(text)
    done = run(program("kea-dhcp4"), "-t", path, cwd=tmp_path)
    assert done.returncode == 0, done.stderr or done.stdout


def test_bind_loads_every_zone(program: Program, essonne_rack: RegionPlan, tmp_path: Path) -> None:
    for path, text in RENDERS["zones"].files(essonne_rack):
        (tmp_path / path).write_text(text)
        done = run(program("named-checkzone"), path.removesuffix(".zone"), path, cwd=tmp_path)
        assert done.returncode == 0, done.stdout


def test_prometheus_reads_its_targets(program: Program, essonne_rack: RegionPlan, tmp_path: Path) -> None:
    paths: list[str] = []
    for path, text in RENDERS["prometheus"].files(essonne_rack):
        (tmp_path / path).write_text(text)
        paths.append(path)
    config = {"scrape_configs": [{"job_name": "region", "file_sd_configs": [{"files": paths}]}]}
    (tmp_path / "prometheus.yml").write_text(json.dumps(config))
    done = run(program("promtool"), "check", "config", "prometheus.yml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr or done.stdout


def test_kueue_has_what_is_rendered_in_its_schema(program: Program, essonne_rack: RegionPlan, tmp_path: Path) -> None:
    done = run(program("go"), "mod", "download", "-json", KUEUE, cwd=tmp_path)
    assert done.returncode == 0, done.stderr or done.stdout
    crds = Path(json.loads(done.stdout)["Dir"]) / "config/components/crd/bases"
    schemas = {"Topology": schema(crds, "topologies"), "ResourceFlavor": schema(crds, "resourceflavors")}
    seen: set[str] = set()
    for _, text in RENDERS["kueue"].files(essonne_rack):
        for found in YAML(typ="safe").load_all(text):
            document: dict[str, Any] = found
            seen.add(document["kind"])
            Draft202012Validator(schemas[document["kind"]]).validate(document)
            unknown = set(document["spec"]) - set(schemas[document["kind"]]["properties"]["spec"]["properties"])
            assert not unknown, f"the API server would drop {unknown}"
    assert seen == set(schemas)


def schema(crds: Path, plural: str) -> dict[str, Any]:
    crd: Any = YAML(typ="safe").load(crds / f"kueue.x-k8s.io_{plural}.yaml")
    version = next(each for each in crd["spec"]["versions"] if each["name"] == "v1beta2")
    assert version["served"]
    return version["schema"]["openAPIV3Schema"]
