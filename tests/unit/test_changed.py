"""Which regions a change concerns: too many is noise, too few is a surprise in a datacenter."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from components.clients.git import changed_paths
from components.errors import SpecError
from stacks.cli import main as cli
from stacks.cli.changed import child_pipeline, concerned

REGIONS = ("essonne", "lab", "paris")


@pytest.mark.parametrize(
    ("paths", "regions"),
    [
        ((), ()),
        (("README.md", "docs/guides/lab.md", "tests/unit/test_ssh.py", ".github/workflows/ci.yml", "lab/up.py"), ()),
        (("stacks/regions/paris/racks.yaml",), ("paris",)),
        (("stacks/regions/paris/racks.yaml", "stacks/regions/lab/region.yaml", "LICENSE"), ("lab", "paris")),
        (("stacks/regions/_catalogue/racks/gb200-nvl72.yaml",), REGIONS),
        (("components/plan/fabric.py",), REGIONS),
        (("stacks/layers/fabric.py",), REGIONS),
        (("playbooks/roles/frr/tasks/main.yml",), REGIONS),
        (("requirements.lock",), REGIONS),
        (("a-folder-that-nobody-foresaw/x",), REGIONS),
        (("stacks/regions/notes.md",), REGIONS),
    ],
)
def test_a_file_concerns_the_regions_that_are_made_from_it(paths: tuple[str, ...], regions: tuple[str, ...]) -> None:
    change = concerned(paths, REGIONS)
    assert change.regions == regions
    assert set(change.unchanged) == set(REGIONS) - set(regions)
    assert change.removed == ()


def test_a_region_whose_description_is_gone_is_named_and_not_previewed() -> None:
    change = concerned(["stacks/regions/tokyo/region.yaml", "stacks/regions/lab/racks.yaml"], REGIONS)
    assert (change.regions, change.removed) == (("lab",), ("tokyo",))


def test_a_gitlab_pipeline_has_the_jobs_of_each_region_and_never_none() -> None:
    assert child_pipeline(["lab"]) == {"include": [{"local": "/.gitlab/region.yml", "inputs": {"region": "lab"}}]}
    assert set(child_pipeline([])) == {"workflow", "nothing"}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """`main` and `work` part after the first commit; each has one more."""

    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    (tmp_path / "a name").write_text("x" * 200)
    git("add", ".")
    git("commit", "-q", "-m", "one")
    git("switch", "-q", "-c", "work")
    git("mv", "a name", "ü")
    git("commit", "-q", "-m", "two")
    git("switch", "-q", "main")
    (tmp_path / "of main").write_text("")
    git("add", ".")
    git("commit", "-q", "-m", "three")
    git("switch", "-q", "work")
    return tmp_path


def test_files_are_those_since_both_parted_and_a_moved_one_counts_twice(repository: Path) -> None:
    assert changed_paths(repository, "main") == ("a name", "ü")


@pytest.mark.parametrize("base", ["nothing", "0" * 40, "--output=x", ""])
def test_a_base_that_git_does_not_have_is_refused_with_the_remedy(repository: Path, base: str) -> None:
    with pytest.raises(SpecError, match="fetch-depth: 0"):
        changed_paths(repository, base)
    assert not (repository / "x").exists()


def test_the_command_lists_names_one_a_line_or_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    def one_file(repository: Path, base: str) -> tuple[str, ...]:
        return ("stacks/regions/lab/racks.yaml",)

    monkeypatch.setattr("stacks.cli.changed.changed_paths", one_file)
    assert CliRunner().invoke(cli.app, ["changed", "--base", "x"]).stdout == "lab\n"
    assert "lab" not in CliRunner().invoke(cli.app, ["changed", "--base", "x", "--unchanged"]).stdout.split()
    said = json.loads(CliRunner().invoke(cli.app, ["changed", "--base", "x", "--json"]).stdout)
    assert (said["kind"], said["schema"], said["regions"]) == ("changed", 1, ["lab"])
    said = json.loads(CliRunner().invoke(cli.app, ["changed", "--base", "x", "--format", "gitlab"]).stdout)
    assert said["include"][0]["inputs"] == {"region": "lab"}
