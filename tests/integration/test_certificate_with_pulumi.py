"""Certificates of the region's authority under the real Pulumi engine, with the real plugin."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.authority import write_authority

ROOT = Path(__file__).parents[2]
PROGRAM = f"""
import pathlib, pulumi, sys
sys.path.insert(0, {str(ROOT)!r})
from components.provider.resource import Provider, ProviderArgs
from components.runtime.certificate import Certificate, CertificateArgs
here = pathlib.Path(__file__).parent.parent
provider = Provider("lab", ProviderArgs(region="lab", project=str(here)))
names = (here / "names").read_text().split()
args = CertificateArgs(names=names, ca_certificate="file:ca.crt", ca_key="file:ca.key")
certificate = Certificate("demo", args, pulumi.ResourceOptions(provider=provider))
pulumi.export("certificate", certificate.certificate)
pulumi.export("key", certificate.key)
"""

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="needs the pinned tools on PATH: make tools"),
]


class Project:
    """A Pulumi project with one certificate."""

    def __init__(self, path: Path) -> None:
        self.path = path
        write_authority(path)
        for folder in ("program", "plugins", "state"):
            (path / folder).mkdir()
        (path / "names").write_text("*.demo.lab.internal")
        (path / "program" / "__main__.py").write_text(PROGRAM)
        launcher = path / "plugins" / "pulumi-resource-gpuregion"
        launcher.write_text(
            f"#!/bin/sh\nexec {sys.executable} -c 'from components.provider.plugin import main; main()' \"$@\"\n"
        )
        launcher.chmod(0o755)
        (path / "Pulumi.yaml").write_text(
            "name: region\nruntime: python\nmain: program/\n"
            "plugins:\n  providers:\n    - {name: gpuregion, path: ./plugins}\n"
        )
        self.environment = {
            **os.environ,
            "PULUMI_BACKEND_URL": (path / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            "PULUMI_HOME": str(path / "home"),
            "PYTHONPATH": str(ROOT),
        }
        self.run("stack", "init", "lab.test")

    def run(self, *words: str) -> str:
        done = subprocess.run(
            ["pulumi", *words, "--non-interactive", "--color", "never"],
            cwd=self.path,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=150,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def up(self) -> str:
        return self.run("up", "--yes", "--skip-preview")

    def outputs(self) -> dict[str, str]:
        return json.loads(self.run("stack", "output", "--json", "--show-secrets"))


@pytest.mark.timeout(600)
def test_a_certificate_is_kept_while_it_is_good_and_its_key_is_no_ones_to_read(tmp_path: Path) -> None:
    project = Project(tmp_path)
    assert "created" in project.up()
    first = project.outputs()
    assert first["certificate"].count("BEGIN CERTIFICATE") == 2
    assert "PRIVATE KEY" in first["key"]
    state = "".join(p.read_text() for p in (tmp_path / "state").rglob("*.json"))
    assert "demo" in state
    assert "PRIVATE KEY" not in state, "in state it is encrypted"

    assert "created" not in project.up(), "a run without changes issues nothing"
    assert project.outputs() == first

    (tmp_path / "names").write_text("*.rival.lab.internal")
    assert "updated" in project.up()
    second = project.outputs()
    assert second["key"] != first["key"]

    write_authority(tmp_path)
    project.run("refresh", "--yes", "--skip-preview")
    assert "updated" in project.up(), "a refresh has seen that another authority stands behind the reference"
    assert project.outputs()["certificate"] != second["certificate"]
