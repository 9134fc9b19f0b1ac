"""Certificates of the region's authority under the real Pulumi engine, with the real plugin."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.authority import write_authority
from tests.pulumi_project import ROOT, PulumiProject

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


class Project(PulumiProject):
    """A project with one certificate."""

    def __init__(self, path: Path) -> None:
        plugin = "from components.provider.plugin import main; main()"
        super().__init__(path, PROGRAM, launches=f"exec {sys.executable} -c '{plugin}' \"$@\"")
        write_authority(path)
        (path / "names").write_text("*.demo.lab.internal")
        self.run("stack", "init", "lab.test")

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
