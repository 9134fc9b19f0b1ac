"""A state that an earlier version recorded, under the real engine with today's components and provider.

tests/fixtures/state holds what the version before ADR 14 recorded of the lab, with made-up serial numbers: every tray
and every switch as values of their own.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from components.plan.packed import unpacked
from tests.pulumi_project import ROOT, PulumiProject

RECORDED = ROOT / "tests" / "fixtures" / "state"
PROGRAM = f"""
import json, pathlib, pulumi, sys
sys.path.insert(0, {str(ROOT)!r})
from components.baremetal.rack_group import RackGroup, RackGroupArgs
from components.network.fabric import Fabric, FabricArgs
from components.provider.resource import Provider, ProviderArgs
here = pathlib.Path(__file__).parent.parent
inputs = json.loads((here / "inputs.json").read_text())
provider = Provider("gpuregion", ProviderArgs(region="lab", project=str(here)))
opts = pulumi.ResourceOptions(providers=[provider])
if pulumi.get_stack() == "lab.fabric":
    pulumi.export("switches", Fabric("lab", FabricArgs(inputs=inputs["lab-switches"]), opts).switches)
else:
    pulumi.export("racks", RackGroup("lab", RackGroupArgs(racks=inputs), opts).trays)
"""

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="needs the pinned tools on PATH: make tools"),
]


class Project(PulumiProject):
    """A project with one stack, whose program asks for what is recorded of it."""

    def __init__(self, path: Path, stack: str) -> None:
        super().__init__(path, PROGRAM)
        self.run("stack", "init", stack)
        self.recorded = (RECORDED / f"{stack}.json").read_text().replace("PROJECT", str(path))
        self.run("stack", "import", given=self.recorded)

    def resources(self) -> dict[str, dict[str, Any]]:
        """By name, those of the provider."""
        return ours(self.run("stack", "export"))


def ours(export: str) -> dict[str, dict[str, Any]]:
    """The provider's resources in an export, by name."""
    return {
        resource["urn"].rpartition("::")[2]: resource
        for resource in json.loads(export[export.index("{") :])["deployment"]["resources"]
        if resource["type"] in ("gpuregion:baremetal:Rack", "gpuregion:network:SwitchConfig")
    }


@pytest.mark.parametrize(
    ("stack", "property_name"), [("lab.fabric", "switches"), ("lab.substrate", "trays")], ids=["fabric", "substrate"]
)
def test_it_changes_nothing_and_is_recorded_as_texts_by_the_next_update(
    tmp_path: Path, stack: str, property_name: str
) -> None:
    project = Project(tmp_path, stack)
    before = ours(project.recorded)
    assert all(isinstance(each["inputs"][property_name], dict) for each in before.values()), "else nothing is tested"
    inputs = {name: each["inputs"] for name, each in before.items()}
    (tmp_path / "inputs.json").write_text(json.dumps(inputs))
    # No device is there: anything but "unchanged" would fail, and a replacement most of all.
    project.run("preview", "--expect-no-changes")
    project.run("up", "--yes", "--skip-preview", "--expect-no-changes")
    after = project.resources()
    assert all(isinstance(each["inputs"][property_name], str) for each in after.values())
    assert {name: unpacked(each["inputs"]) for name, each in after.items()} == inputs
    assert {n: unpacked(each["outputs"]) for n, each in after.items()} == {n: e["outputs"] for n, e in before.items()}
    project.run("preview", "--expect-no-changes")


def test_a_change_is_one_update_and_once_recorded_as_text_marked_alone(tmp_path: Path) -> None:
    project = Project(tmp_path, "lab.substrate")
    inputs = {name: each["inputs"] for name, each in ours(project.recorded).items()}
    (tmp_path / "inputs.json").write_text(json.dumps(inputs))
    other = json.loads(json.dumps(inputs))
    other["lab-r01"]["trays"]["lab-r01-t02"]["hostname"] = "another"

    def changed() -> str:
        (tmp_path / "inputs.json").write_text(json.dumps(other))
        shown = project.run("preview", "--diff")
        (tmp_path / "inputs.json").write_text(json.dumps(inputs))
        assert "~ 1 to update" in shown
        assert "replace" not in shown
        return shown

    changed()
    project.run("up", "--yes", "--skip-preview", "--expect-no-changes")
    shown = changed()
    tray = shown[shown.index("trays") : shown.index("Resources:")]
    marked = [line.split()[1].rstrip(":") for line in tray.splitlines() if line.strip().startswith(("~ ", "+ ", "- "))]
    assert marked == ["lab-r01-t02", "hostname"], f"Pulumi reads both texts and marks what differs: {shown}"
    assert '~ hostname : "lab-r01-t02" => "another"' in tray
