"""The role dra_driver, run on this machine against a kubectl of the test's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.clients.ansible import RunResult
from components.plan import RegionPlan
from tests.role_render import evaluate
from tests.role_run import asked, program, run_role

pytestmark = pytest.mark.timeout(300)
NODES = ["ess-r001-t01", "ess-r001-t02", "ess-r001-t03"]
POOLS = {"small": {"count": 4}, "large": {"count": 8}}
HOSTS = {node: {"dra_driver_pool": pool} for node, pool in zip(NODES, ("small", "small", "large"), strict=True)}
KUBECTL = """case "$*" in
    *resourceslices*) cat slices ;;
    *label*) cat labelled ;;
    *"get namespace"*) echo namespace/dra-driver ;; # and nothing differs
esac
"""


def run(folder: Path, part: str, *, slices: str = "", labelled: str = "") -> RunResult:
    (folder / "slices").write_text(slices)
    (folder / "labelled").write_text(labelled)
    program(folder, "kubectl", KUBECTL)
    variables = {
        "dra_driver_nodes": NODES,
        "dra_driver_pools": POOLS,
        "dra_driver_image": "registry/driver",
        "dra_driver_rollout_timeout_s": 1,
    }
    return run_role(folder, "dra_driver", part, variables, others=HOSTS)


def test_all_nodes_are_labelled_by_one_command_that_says_what_it_changed(tmp_path: Path) -> None:
    lines = "".join(f"node/{node} not labeled\n" for node in NODES[1:])
    result = run(tmp_path, "configure", labelled=f"{lines}node/{NODES[0]} labeled\n")
    (command,) = asked(tmp_path, "label")
    assert command.endswith(f"label --overwrite node {' '.join(NODES)} gpuregion.dev/gpu=true")
    assert result.changed == 1


def test_devices_of_all_nodes_are_read_by_one_command(tmp_path: Path) -> None:
    slices = "".join(f"{node} gpu-0 gpu-1\n{node} gpu-2 gpu-3\n" for node in (*NODES, NODES[2]))
    (*_, report) = run(tmp_path, "verify", slices=slices).reports["control"]
    assert (report["role"], report["nodes"]) == ("dra_driver", NODES)
    assert len(asked(tmp_path, "resourceslices")) == 1


@pytest.mark.parametrize(
    ("slices", "wanting"),
    [
        ([f"{NODES[0]} a b c d", f"{NODES[1]} a b", f"{NODES[1]} c d", f"{NODES[2]} a b c d e f g h", "", "x a"], []),
        ([f"{NODES[0]} a b c d", f"{NODES[1]} a"], [f"{NODES[1]} (1)", f"{NODES[2]} (0)"]),
        ([], [f"{node} (0)" for node in NODES]),
    ],
)
def test_slices_of_a_node_are_added_up_and_who_lacks_devices_is_named_with_what_it_has(
    lab_plan: RegionPlan, slices: list[str], wanting: list[str]
) -> None:
    told: Any = {
        "dra_driver_nodes": NODES,
        "hostvars": HOSTS,
        "dra_driver_pools": POOLS,
        "__dra_driver_devices": {"stdout_lines": slices},
    }
    assert evaluate(lab_plan, "lab-r01-t01", "dra_driver", "__dra_driver_wanting", **told) == wanting
