"""What is accepted, and that everything wrong is said at once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from components.errors import SpecError
from components.spec import artifacts, load
from components.spec.region import Region
from tests.regions import ARTIFACTS, REGIONS, Edit, edited_lab, load_lab

THREE_CONTROL_PLANES = [
    Edit("racks.yaml", "slot: 2, role: gpu_worker", "slot: 2, role: control_plane"),
    Edit("racks.yaml", "role: spare", "role: control_plane"),
]
PROVISIONAL_RACK = [
    Edit("_catalogue/racks/nspawn-rack.yaml", "simulated: true", "simulated: true\nprovisional: true"),
]


def rules_of(project: Path) -> list[str | None]:
    with pytest.raises(SpecError) as refused:
        load_lab(project)
    return [problem.rule for problem in refused.value.problems]


def test_the_lab_is_accepted(lab_region: Region) -> None:
    assert lab_region.region == "lab"
    assert [tray.slot for tray in lab_region.racks[0].trays] == [1, 2, 3, 4]
    assert lab_region.images["base"].name == "debian-12-base"


def test_the_description_cannot_be_changed_once_it_is_read(lab_region: Region) -> None:
    with pytest.raises(ValueError, match="frozen"):
        lab_region.region = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        lab_region.images["other"] = lab_region.images["base"]  # type: ignore[index]


def test_keys_may_stand_in_any_of_the_files(tmp_path: Path) -> None:
    project = edited_lab(tmp_path, [])
    folder = project / "stacks/regions/lab"
    whole = "".join(path.read_text() for path in sorted(folder.glob("*.yaml")))
    for path in folder.glob("*.yaml"):
        path.unlink()
    (folder / "all.yaml").write_text(whole)
    assert load_lab(project) is not None


@pytest.mark.parametrize(
    "edits",
    [
        [Edit("racks.yaml", '"02:1a:b0:01:02:00"', '"02:1A:B0:01:02:00"')],
        [Edit("network.yaml", "host: 65200-65299", "host: 4200000000-4200999999")],
        [Edit("network.yaml", "switch_os: frr", "switch_os: frr\n  mtu: 9000")],
        [Edit("region.yaml", "file:.lab/secrets/bmc.json", "env:BMC_CREDENTIALS")],
        [Edit("tenants/demo.yaml", "min: 0", "min: 2")],
        [Edit("tenants/demo.yaml", "    gpu: {count: 1}\n", "")],
        [Edit("network.yaml", ", edge: {id: 2, port: swp48}", "")],
        [Edit("network.yaml", "slots_per_rack: 4", "slots_per_rack: 8")],
        [
            Edit("racks.yaml", "slot: 2, role: gpu_worker", "slot: 2, role: control_plane"),
            Edit("racks.yaml", "role: spare", "role: control_plane"),
            Edit("cluster.yaml", "join_pace: 2", "api_vip_id: 2\n  join_pace: 2"),
        ],
    ],
    ids=lambda edits: edits[0].new,
)
def test_what_is_right_is_accepted(edits: list[Edit], tmp_path: Path) -> None:
    load_lab(edited_lab(tmp_path, edits))


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    edits = [
        Edit("racks.yaml", "LABR01T03", "LABR01T01"),
        Edit("racks.yaml", '"02:1a:b0:01:02:00"', '"nonsense"'),
        Edit("tenants/demo.yaml", "max: 2", "max: 9"),
        Edit("cluster.yaml", "join_pace: 2", "join_pace: 2\n  joinpace: 2"),
        Edit("network.yaml", "host: 65200-65299", "host: 65100-65299"),
        Edit("region.yaml", "file:.lab/secrets/bmc.json", "hunter2"),
    ]
    assert sorted(map(str, rules_of(edited_lab(tmp_path, edits)))) == [
        "asn-overlap",
        "key-unknown",
        "mac-form",
        "secret-plain",
        "serial-duplicate",
        "service-beyond-gpu-quota",
    ]


def test_a_fault_in_one_tray_does_not_move_the_place_of_another(tmp_path: Path) -> None:
    edits = [Edit("racks.yaml", "slot: 1,", "slot: one,"), Edit("racks.yaml", "LABR01T04", "LABR01T03")]
    with pytest.raises(SpecError) as refused:
        load_lab(edited_lab(tmp_path, edits))
    places = {problem.rule: (problem.path, problem.line) for problem in refused.value.problems}
    assert places == {
        "value-type": ("racks[0].trays[0].slot", 9),
        "serial-duplicate": ("racks[0].trays[3].serial", 12),
    }


def test_a_file_that_is_no_yaml_does_not_accuse_the_keys_that_it_holds(tmp_path: Path) -> None:
    assert rules_of(edited_lab(tmp_path, [Edit("cluster.yaml", "cluster:", "cluster: [")])) == ["yaml-syntax"]


def test_a_value_that_may_be_a_secret_is_never_repeated(tmp_path: Path) -> None:
    edits = [
        Edit("region.yaml", "bmc: file:.lab/secrets/bmc.json", "bmc: {username: admin, password: hunter2}"),
        Edit("region.yaml", "  s3: file:", "  s3_secret: hunter3\n  s3: file:"),
    ]
    with pytest.raises(SpecError) as refused:
        load_lab(edited_lab(tmp_path, edits))
    assert len(refused.value.problems) == 2
    assert "hunter" not in str(refused.value)


def test_of_a_value_that_may_be_a_secret_only_its_kind_is_said(tmp_path: Path) -> None:
    edits = [Edit("tenants/demo.yaml", "    gpu: {count: 1}", "    env: {API_KEY: {from: hunter4}}")]
    with pytest.raises(SpecError) as refused:
        load_lab(edited_lab(tmp_path, edits))
    assert [(p.found, p.allowed) for p in refused.value.problems] == [("a mapping", "text")]


def test_a_region_that_is_not_there_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as refused:
        load(tmp_path / "stacks/regions/none", REGIONS / "_catalogue")
    assert refused.value.problems[0].rule == "folder-empty"
    assert refused.value.exit_code == 2


def test_the_artifact_index_is_read_strictly(tmp_path: Path) -> None:
    index = json.loads(ARTIFACTS.read_text())
    index["deploy_images"]["debian-12-base"]["sha256"] = "latest"
    path = tmp_path / "artifacts.json"
    path.write_text(json.dumps(index))
    with pytest.raises(SpecError) as refused:
        artifacts.load(path)
    assert refused.value.problems[0].path == "deploy_images.debian-12-base.sha256"
    path.write_text("{")
    with pytest.raises(SpecError, match="not JSON"):
        artifacts.load(path)
    with pytest.raises(SpecError, match="make up"):
        artifacts.load(tmp_path / "none.json")


def edited_region(folder: Path, name: str, edits: list[Edit]) -> Path:
    """A project with this region, wrong where the edits are."""
    shutil.copytree(REGIONS / name, folder / "stacks/regions" / name)
    shutil.copytree(REGIONS / "_catalogue", folder / "stacks/regions/_catalogue")
    for edit in edits:
        path = folder / "stacks/regions" / name / edit.file
        text = path.read_text()
        assert text.count(edit.old) == 1
        path.write_text(text.replace(edit.old, edit.new))
    return folder


def problems_in(project: Path, region: str = "lab") -> set[str | None]:
    try:
        load_lab(project, region)
    except SpecError as error:
        return {problem.rule for problem in error.problems}
    return set()


def test_a_key_that_nothing_has_does_not_hide_what_else_is_wrong(tmp_path: Path) -> None:
    edits = [
        Edit("racks.yaml", "protect: false", "protect: false\n    colour: red"),
        Edit("racks.yaml", "[lab-leaf1, lab-leaf2]", "[lab-leaf1, lab-leaf3]"),
    ]
    assert problems_in(edited_lab(tmp_path, edits)) == {"key-unknown", "leaf-unknown"}


@pytest.mark.parametrize(
    "edits",
    [
        [Edit("cluster.yaml", "join_pace: 2", "api_vipid: 2\n  join_pace: 2"), *THREE_CONTROL_PLANES],
        [Edit("region.yaml", "region: lab", "region: lab\nprovisonal: true"), *PROVISIONAL_RACK],
    ],
    ids=["in a section", "at the top"],
)
def test_a_misspelt_key_is_not_taken_for_one_that_is_missing(edits: list[Edit], tmp_path: Path) -> None:
    assert problems_in(edited_lab(tmp_path, edits)) == {"key-unknown"}


@pytest.mark.parametrize(
    ("old", "new", "rules"),
    [
        ("planes: 2 ", "planes: 99 ", {"value-range"}),
        ("spines_per_plane: 1", "spines_per_plane: one", {"value-type"}),
        ("  clos:", "  clos: 3\n  closed:", {"value-type", "key-unknown"}),
    ],
)
def test_a_short_form_that_cannot_be_read_is_all_that_is_told(
    old: str, new: str, rules: set[str], tmp_path: Path
) -> None:
    project = edited_region(tmp_path, "paris", [Edit("network.yaml", old, new)])
    assert problems_in(project, "paris") == rules
