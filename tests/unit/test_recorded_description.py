"""What a stack records of the description that it was brought up with, and what is read from it again."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import Any

import pytest

from components.plan import RegionPlan, compile_region
from components.plan.consequences import consequences, snapshot_of
from components.plan.consequences.snapshot import RACK, SWITCHES
from components.plan.pending import pending_index
from components.plan.resources import rack_inputs, switch_group_inputs
from components.spec import Region, load
from components.spec.artifacts import load as load_artifacts
from components.spec.recorded import compact, restored
from stacks.project import CATALOGUE, LAYERS, region_folder, region_names
from stacks.snapshots import APPLIED, described_snapshot, read_exports
from tests.regions import ARTIFACTS, Edit, edited_lab, load_lab


@pytest.mark.parametrize("region", region_names())
def test_a_recorded_description_compiles_to_the_same_plan(region: str) -> None:
    spec = load(region_folder(region), CATALOGUE)
    index = pending_index(spec)
    found = restored(compact(spec, index))
    assert found is not None
    assert compile_region(*found) == compile_region(spec, index)


def test_comments_and_the_order_of_keys_are_not_recorded(tmp_path: Path, lab_region: Region) -> None:
    edits = [Edit("racks.yaml", "id: 1\n", "id: 1       # the only one\n"), Edit("region.yaml", "  site_kw: 4\n", "")]
    edits += [Edit("region.yaml", "  step_s: 0\n", "  step_s: 0\n  site_kw: 4\n")]
    index = load_artifacts(ARTIFACTS)
    assert compact(load_lab(edited_lab(tmp_path, edits)), index) == compact(lab_region, index)


def test_what_only_people_read_is_left_out(lab_region: Region) -> None:
    text = zlib.decompress(base64.b64decode(compact(lab_region, load_artifacts(ARTIFACTS)))).decode()
    assert "evidence" not in text
    assert "file:.lab/secrets/bmc.json" in text, "references stand in a description, values nowhere"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no base64!",
        base64.b64encode(b"no zlib").decode(),
        base64.b64encode(zlib.compress(b'{"form": 99}')).decode(),
    ],
)
def test_what_cannot_be_read_is_no_description(text: str) -> None:
    assert restored(text) is None


def checkpoint(*resources: tuple[str, str, Any, Any]) -> list[dict[str, Any]]:
    """As `pulumi stack export` has them: type, name, inputs, outputs."""
    return [
        {
            "urn": f"urn:pulumi:lab.any::region::{type}::{name}",
            "type": type,
            "inputs": json.loads(json.dumps(inputs)),
            "outputs": outputs,
        }
        for type, name, inputs, outputs in resources
    ]


def test_the_past_is_read_from_checkpoints(lab_region: Region, lab_plan: RegionPlan) -> None:
    text = compact(lab_region, load_artifacts(ARTIFACTS))
    nothing: dict[str, Any] = {}
    note = (APPLIED, "any", nothing, {"description": text})
    before = read_exports(
        {
            "fabric": checkpoint((SWITCHES, "lab-switches", switch_group_inputs(lab_plan), {}), note),
            "substrate": checkpoint((RACK, "lab-r01", rack_inputs(lab_plan, lab_plan.racks[0]), {}), note),
        }
    )
    old = before.snapshot(LAYERS)
    assert old is not None
    assert old.plan is not None
    assert old.plan.racks == lab_plan.racks
    assert old.plan.cluster.tenants == (), "the cluster was not brought up yet"
    below = described_snapshot(lab_plan, {}, ("fabric", "substrate"), before)
    assert consequences(before.snapshot(("fabric", "substrate")), below).is_empty
    found = consequences(old, snapshot_of(lab_plan, {}))
    assert not found.actions
    assert [tenant.change for tenant in found.tenants] == ["new, with a quota of 20 pods and 4 GPUs"]


def test_without_the_description_the_devices_are_compared_and_the_rest_is_said_to_be_unknown(
    lab_plan: RegionPlan,
) -> None:
    inputs = rack_inputs(lab_plan, lab_plan.racks[0])
    before = read_exports({"substrate": checkpoint((RACK, "lab-r01", inputs, {}))})
    old = before.snapshot(LAYERS)
    assert old is not None
    assert old.plan is None
    found = consequences(old, snapshot_of(lab_plan, {}))
    assert {group.layer for group in found.actions} == {"fabric"}
    assert not found.cables
    assert "not recorded" in found.notes[0]


def test_a_region_without_stacks_has_no_past() -> None:
    assert read_exports({}).snapshot(LAYERS) is None
