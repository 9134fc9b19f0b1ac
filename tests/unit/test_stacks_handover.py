"""What one layer hands to the next: the marks of deployments, down to the last playbook."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components.plan.packed import packed
from components.provider.resource import Provider, ProviderArgs
from stacks import handover
from stacks.layers import cluster, runtime
from stacks.project import ROOT
from tests.pulumi_mocks import Registered, declare
from tests.regions import lab, plan_of

RACKS = {
    "lab-r01": {
        "lab-r01-t01": {"state": "active", "deployed": "first"},
        "lab-r01-t02": {"state": "active"},
        "lab-r01-t04": {"state": "available", "deployed": ""},
    }
}
SWITCHES = {"lab-leaf1": {"config_sha256": "1"}}
OUTPUTS: dict[str, Any] = {
    "substrate.racks": packed({"trays": RACKS})["trays"],
    "fabric.switches": packed({"switches": SWITCHES})["switches"],
    "cluster.deployments": {"lab-r01-t01": "first"},
    "cluster.nodes": {"lab-r01-t01": "ok"},
}


def test_the_marks_are_those_of_hosts_that_have_one() -> None:
    assert handover.deployments_of(OUTPUTS["substrate.racks"]) == {"lab-r01-t01": "first"}
    assert handover.deployments_of(None) == {}, "the substrate is not up yet"


def runs(layer: Any, monkeypatch: pytest.MonkeyPatch, outputs: dict[str, Any]) -> list[Registered]:
    """The playbook runs that a layer declares on top of these outputs; two references of one name are refused."""
    references: list[str] = []

    class Reference:
        def __init__(self, name: str) -> None:
            assert name not in references, "Pulumi refuses a second resource of this name"
            references.append(name)
            self.layer = name.rpartition(".")[2]

        def get_output(self, key: str) -> pulumi.Output[Any]:
            return pulumi.Output.from_input(outputs.get(f"{self.layer}.{key}"))

    monkeypatch.setattr(pulumi, "StackReference", Reference)
    # As on a machine that holds no files of the region: what is in them is unknown.
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)
    settings = ProviderArgs(region="lab", project=str(ROOT))
    seen = declare(lambda: layer.declare(plan_of(lab()), ROOT, Provider("gpuregion", settings)))
    return [r for r in seen.values() if r.type == "gpuregion:ansible:PlaybookRun"]


@pytest.mark.parametrize(("layer", "count"), [(cluster, 3), (runtime, 2)])
def test_every_playbook_waits_for_the_deployment_of_its_hosts(
    layer: Any, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = runs(layer, monkeypatch, OUTPUTS)
    assert [run.inputs["after"]["deployments"] for run in found] == [{"lab-r01-t01": "first"}] * count


@pytest.mark.parametrize("layer", [cluster, runtime])
def test_layers_of_an_older_version_hand_over_no_marks(layer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found = runs(layer, monkeypatch, {})
    assert all(run.inputs["after"]["deployments"] == {} for run in found)


def test_what_an_earlier_version_left_unpacked_is_handed_over_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked = {**OUTPUTS, "substrate.racks": RACKS, "fabric.switches": SWITCHES}
    before, after = (
        [run.inputs["after"] for run in runs(cluster, monkeypatch, outputs)] for outputs in (unpacked, OUTPUTS)
    )
    assert before == after, "no playbook runs because the state was written anew"
    assert after[0]["fabric"] == SWITCHES
