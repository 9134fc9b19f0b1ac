"""What the preview lists is what the lab's machines and switches then live: each step predicted, done, compared.

The tests are the steps of one story on a bench of its own, in this order.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from lab.images import deploy_image, ramdisk
from tests.integration.bench import Bench, bench
from tests.integration.prediction import STEPS
from tests.integration.region import make_project
from tests.regions import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.nightly, pytest.mark.timeout(1200)]

WIRING = ROOT / "tests" / "golden" / "lab" / "wiring.json"
PARTS = ("switch", "limits", "bmc", "ironic", "web")
RUN_S = 1000


@dataclass(frozen=True)
class Story:
    """A bench with switches, BMCs and Ironic, and the operator's project beside it."""

    on: Bench
    project: Path

    def live(self, step: str) -> dict[str, Any]:
        argv = (sys.executable, "-m", "tests.integration.prediction", self.project, step)
        return cast("dict[str, Any]", json.loads(self.on.run(*argv, timeout_s=RUN_S).splitlines()[-1]))


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Generator[Story]:
    """No machine known to Ironic, no switch configured."""
    log = tmp_path_factory.mktemp("images") / "log"  # a bench has no way out to build them
    deploy_image.build(log)
    ramdisk.build(log)
    home = tmp_path_factory.mktemp("predictions")
    shutil.copy(WIRING, home / "wiring.json")
    project = make_project(tmp_path_factory.mktemp("project") / "region", home)
    with bench(home) as made:
        made.lab("up", *(word for part in PARTS for word in ("--only", part)))
        yield Story(made, project)


@pytest.mark.parametrize("step", STEPS)
def test_what_was_done_is_what_was_predicted(step: str, story: Story) -> None:
    found = story.live(step)
    print(step, found)
    assert found["done"] == found["predicted"]
    assert set(found["outcomes"]) <= {"done", "observed"}
    assert found["agent_boots"] == found["agent_boots_predicted"], "of machines, as the simulated hardware counts"
    assert found["flaps"] == found["flaps_predicted"], "of sessions that were up, as the switches count"
