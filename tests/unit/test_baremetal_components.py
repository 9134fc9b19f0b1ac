"""What the Pulumi components of bare metal declare."""

from __future__ import annotations

from typing import Any

from components.baremetal.rack_group import RackGroup, RackGroupArgs
from components.plan.packed import content
from components.plan.resources import rack_inputs
from tests.pulumi_mocks import children, declare
from tests.regions import lab, plan_of


def declare_racks() -> None:
    plan = plan_of(lab())
    RackGroup("lab", RackGroupArgs(racks={rack.name: rack_inputs(plan, rack) for rack in plan.racks}))


def test_a_rack_is_one_resource_however_many_trays_it_has() -> None:
    seen = declare(declare_racks)
    racks = children(seen, "lab")
    assert [(r.name, r.type) for r in racks.values()] == [("lab-r01", "gpuregion:baremetal:Rack")]
    assert set(content(racks["lab-r01"].inputs["trays"])) == {f"lab-r01-t0{n}" for n in range(1, 5)}
    assert set(seen["lab"].outputs) == {"trays"}


def test_inputs_hold_references_and_no_secret() -> None:
    inputs: dict[str, Any] = declare(declare_racks)["lab-r01"].inputs
    access = inputs["ironic"]
    references = [inputs[key] for key in ("ssh_key", "bmc_credentials", "bmc_ca")]
    references += [access["credentials"], access["ca"]]
    assert all(reference.startswith("file:.lab/") for reference in references), references
