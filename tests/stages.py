"""Stages: programs of tests that run in a place of their own, with a network and processes that nobody else sees."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from lab.joins.namespace import inside
from tests.regions import ROOT

LIMIT_S = 850


def told_by(stage: str, folder: Path, *words: str) -> Any:
    """What a stage (`gang_stage`) prints last, as JSON. It keeps its things in the folder, and its logs there are told where
    it fails."""
    command = inside([sys.executable, "-m", f"tests.{stage}", str(folder), *words])
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    logs = [path.read_text(errors="replace")[-1500:] for path in folder.glob("*.log")]
    assert done.returncode == 0, "\n".join([done.stderr[-3000:], *logs])
    return json.loads(done.stdout.splitlines()[-1])
