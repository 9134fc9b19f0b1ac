"""A new version takes over, or is taken back, at a real gateway: no request is lost to the change itself."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.plan.rollout import Do, Standing, Step, Track, first_weights
from components.runtime.objects_rollout import patches
from components.runtime.objects_routes import route_spec
from tests.a_service import chat
from tests.stages import told_by

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(900),  # the programs are built where no other run has
    pytest.mark.skipif(os.geteuid() != 0, reason="makes name spaces: run it as root"),
]
SERVICE = chat()
ROUTE: dict[str, Any] = {
    "metadata": {"name": "chat-shares", "annotations": {}},
    "spec": route_spec(SERVICE, "front", "gateway", first_weights()),
}
SEEN = Standing(live=Track.A, versions={Track.A: "0ld", Track.B: "new"}, share=0, awake=True)


def weights(seen: Standing, do: Do, share: int = 0) -> list[list[int]]:
    """Those of both tracks, one after the other, that a step sets."""
    made: list[Any] = [
        p.spec["rules"] for p in patches(SERVICE, ROUTE, seen, Step(do=do, why="", share=share), 0) if p.spec
    ]
    return [[backend["weight"] for backend in rule["backendRefs"]] for (rule,) in made]


def test_no_request_is_lost_while_versions_come_and_go(tmp_path: Path) -> None:
    back = replace(SEEN, live=Track.B)
    steps = [
        [100, 0],
        *weights(SEEN, Do.SHARE, 20),
        *weights(replace(SEEN, share=20), Do.PROMOTE),
        *weights(back, Do.PROMOTE),
        *weights(SEEN, Do.SHARE, 20),
        *weights(replace(SEEN, share=20), Do.TAKE_BACK),
    ]
    answers: dict[str, int] = told_by("shares_stage", tmp_path, json.dumps(steps))
    print(f"{answers} while the weights were {steps}")
    assert answers.keys() == {"200 a", "200 b"}
