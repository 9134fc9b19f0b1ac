"""What a command needs of Pulumi before it begins."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from components.errors import RegionError
from stacks.cli import environment


def test_a_command_without_pulumi_says_how_to_get_it_and_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(environment, "search_path", lambda: str(tmp_path))
    before = dict(os.environ)
    with pytest.raises(RegionError) as refused:
        environment.use_pulumi()
    assert refused.value.problems[0].remedy == "`make tools` builds it below .tools/bin"
    assert dict(os.environ) == before
