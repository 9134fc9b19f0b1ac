"""How a guide is read and held to its words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e import guides
from tests.e2e.guides import Command, GuideError, Written

GUIDE = """\
# A guide

Write `tenants/first.yaml`:

```yaml
tenant: first
```

It may also say, which is no step:

```yaml
keys: []
```

```
$ no step either
```

```console
$ echo one \\
    two
one two
$ cat tenants/first.yaml
tenant: first
$ true
```
"""
"""Steps from line 6 on."""


def block(text: str) -> str:
    return f"```console\n{text}\n```\n"


def only(text: str) -> Command:
    (step,) = guides.read(block(text))
    assert isinstance(step, Command)
    return step


def test_a_guide_is_read_as_files_to_write_and_commands_to_type_in_their_order() -> None:
    assert guides.read(GUIDE) == (
        Written(line=6, path="tenants/first.yaml", text="tenant: first\n"),
        Command(line=20, text="echo one \\\n    two", expected=("one two",)),
        Command(line=23, text="cat tenants/first.yaml", expected=("tenant: first",)),
        Command(line=25, text="true", expected=()),
    )


def test_a_file_is_written_only_where_the_line_above_ends_with_its_path_and_a_colon() -> None:
    for above in ("As in `a.yaml`", "A list:", "`a.yaml`: as follows", ""):
        assert guides.read(f"{above}\n\n```yaml\na: 1\n```\n") == ()
    (step,) = guides.read("Now change `a.yaml`:\n```yaml\na: 1\n```\n")
    assert step == Written(line=3, path="a.yaml", text="a: 1\n")


def test_the_sentence_above_a_block_belongs_to_the_first_block_below_it_alone() -> None:
    steps = guides.read("Write `a.yaml`:\n\n```yaml\na: 1\n```\n\n```yaml\na: 2\n```\n")
    assert [step.line for step in steps] == [4]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("```console\n$ true\n", "line 1: the block is not closed"),
        (block("an answer"), "line 2: a console block begins with a command"),
        ("```console\n```\n", "line 2: a console block begins with a command"),
        (block("$ echo \\"), "line 2: the command goes on, and the block ends"),
    ],
)
def test_a_block_that_cannot_be_told_is_refused_with_its_line(text: str, says: str) -> None:
    with pytest.raises(GuideError, match=says):
        guides.read(text)


@pytest.mark.parametrize(
    ("expected", "came"),
    [
        ([], []),
        (["a", "b"], ["a", "b"]),
        (["..."], []),
        (["..."], ["a", "b"]),
        (["a", "...", "z"], ["a", "z"]),
        (["a", "...", "z"], ["a", "b", "z", "z"]),
        (["...", "m", "...", "z"], ["l", "m", "n", "z"]),
        (["...", "m", "n", "..."], ["m", "x", "m", "n"]),
        (["took ... s"], ["took 1.2 s"]),
        (["pod-...-... on ..."], ["pod-a-b on c"]),
        (["a.c (1)"], ["a.c (1)"]),
    ],
)
def test_three_dots_stand_for_any_lines_or_any_text_and_all_else_for_itself(
    expected: list[str], came: list[str]
) -> None:
    assert guides.matches(expected, came)


@pytest.mark.parametrize(
    ("expected", "came"),
    [
        ([], ["a"]),
        (["a"], []),
        (["a"], ["a", "b"]),
        (["a", "..."], ["b", "a"]),
        (["...", "z"], ["z", "a"]),
        (["a", "...", "a"], ["a"]),
        (["...", "m", "...", "m", "..."], ["m"]),
        (["...", "b", "...", "a", "..."], ["a", "b"]),
        (["took ... s"], ["took 1.2 s, and more"]),
        (["a.c"], ["abc"]),
    ],
)
def test_a_line_that_is_missing_new_or_in_another_place_is_no_match(expected: list[str], came: list[str]) -> None:
    assert not guides.matches(expected, came)


def test_a_difference_shows_the_lines_that_differ_and_not_those_that_dots_stand_for() -> None:
    shown = guides.difference(["...", "took ... s", "done", "..."], ["first", "took 1.2 s", "failed", "last"])
    assert shown.splitlines() == ["  first", "  took 1.2 s", "- done", "- ...", "+ failed", "+ last"]
    shown = guides.difference(["...", "took ... s", "last"], ["one", "two", "took 1.2 s", "end"])
    assert shown.splitlines() == ["  one", "  two", "  took 1.2 s", "- last", "+ end"]


def test_a_command_that_prints_other_than_shown_is_told_with_its_line_and_both(tmp_path: Path) -> None:
    with pytest.raises(GuideError, match=r"(?s)line 2: \$ echo came.*- expected.*\+ came"):
        guides.run_step(only("$ echo came\nexpected"), folder=tmp_path)


def test_what_goes_to_standard_error_is_shown_too(tmp_path: Path) -> None:
    guides.run_step(only("$ echo out; echo err >&2\nout\nerr"), folder=tmp_path)


def test_a_command_below_which_nothing_is_shown_prints_nothing(tmp_path: Path) -> None:
    guides.run_step(only("$ true"), folder=tmp_path)
    with pytest.raises(GuideError):
        guides.run_step(only("$ echo"), folder=tmp_path)


def test_a_command_fails_if_and_only_if_the_guide_shows_an_error(tmp_path: Path) -> None:
    guides.run_step(only("$ echo error: no; false\nerror: no"), folder=tmp_path)
    with pytest.raises(GuideError, match="ended with 0, not with an error"):
        guides.run_step(only("$ echo error: no\nerror: no"), folder=tmp_path)
    with pytest.raises(GuideError, match="ended with 1, not with 0"):
        guides.run_step(only("$ echo yes; false\nyes"), folder=tmp_path)


def test_a_command_that_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guides, "LIMIT_S", 0.2)
    with pytest.raises(GuideError, match="did not end within"):
        guides.run_step(only("$ sleep 60 | cat"), folder=tmp_path)


def test_commands_run_in_the_project_with_its_programs_and_no_cluster_that_it_did_not_name() -> None:
    guides.run_step(only("$ test -f Pulumi.yaml && command -v region\n.../.venv/bin/region"))
    assert "KUBECONFIG" not in guides.OPERATOR


def test_files_that_a_guide_writes_are_as_before_afterwards_whatever_happens(tmp_path: Path) -> None:
    (tmp_path / "was.yaml").write_text("before\n")
    text = "".join(f"Write `{name}.yaml`:\n```yaml\nnow\n```\n" for name in ("was", "new", "removed"))
    steps = guides.read(text)
    with pytest.raises(GuideError), guides.kept(steps, folder=tmp_path):
        for step in steps:
            guides.run_step(step, folder=tmp_path)
        assert (tmp_path / "was.yaml").read_text() == "now\n"
        (tmp_path / "removed.yaml").unlink()
        raise GuideError
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"was.yaml": "before\n"}


def test_a_guide_that_leaves_a_file_behind_is_told_so_and_the_file_goes(tmp_path: Path) -> None:
    steps = guides.read("Write `new.yaml`:\n```yaml\nnow\n```\n")
    with pytest.raises(GuideError, match=r"does not put back new\.yaml"), guides.kept(steps, folder=tmp_path):
        guides.run_step(steps[0], folder=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_guide_is_followed_to_its_end_and_a_failure_names_the_guide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guides, "ROOT", tmp_path)
    (tmp_path / "docs" / "guides").mkdir(parents=True)
    (tmp_path / "docs" / "guides" / "ours.md").write_text(GUIDE + "\n" + block("$ rm tenants/first.yaml"))
    guides.follow("ours", folder=tmp_path)
    (tmp_path / "docs" / "guides" / "ours.md").write_text(GUIDE + "\n" + block("$ false"))
    with pytest.raises(GuideError, match=r"docs/guides/ours\.md, line 29: \$ false"):
        guides.follow("ours", folder=tmp_path)
    assert not (tmp_path / "tenants" / "first.yaml").exists()
