"""What the lab compiles to, as committed files that a reviewer reads. `pytest --refresh-goldens` writes them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from ruamel.yaml import YAML

from components.plan import RegionPlan
from components.plan.dns import records
from components.plan.frr import switch_config
from components.plan.inventory import ansible_inventory, file_variables, secret_variables
from components.plan.resources import rack_inputs
from components.plan.wiring import wiring

Golden = Callable[[str, str], None]


def as_json(document: Any) -> str:
    return json.dumps(document, indent=1) + "\n"


def as_yaml(document: Any) -> str:
    stream = io.StringIO()
    yaml = YAML()
    yaml.width = 200
    yaml.dump(document, stream)
    return stream.getvalue()


@pytest.mark.parametrize("name", ["lab-spine1", "lab-spine2", "lab-leaf1", "lab-leaf2"])
def test_the_configuration_of_a_switch_is_as_reviewed(name: str, lab_plan: RegionPlan, golden: Golden) -> None:
    switch = next(s for s in lab_plan.fabric.switches if s.name == name)
    golden(f"lab/{name}.conf", switch_config(switch, lab_plan))


def test_the_wiring_is_as_reviewed(lab_plan: RegionPlan, golden: Golden) -> None:
    golden("lab/wiring.json", as_json(wiring(lab_plan)))


def test_the_records_are_as_reviewed(lab_plan: RegionPlan, golden: Golden) -> None:
    golden("lab/dns.json", as_json(records(lab_plan)))


def test_the_inventory_is_as_reviewed(lab_plan: RegionPlan, golden: Golden) -> None:
    golden("lab/inventory.yaml", as_yaml(ansible_inventory(lab_plan)))
    references = {"file_variables": file_variables(lab_plan), "secret_variables": secret_variables(lab_plan)}
    golden("lab/references.yaml", as_yaml(references))


def test_the_inputs_of_a_rack_are_as_reviewed(lab_plan: RegionPlan, golden: Golden) -> None:
    golden("lab/rack.json", as_json(rack_inputs(lab_plan, lab_plan.racks[0])))
