"""How properties that hold thousands of values are carried."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from google.protobuf import struct_pb2
from pulumi.provider.experimental import provider as protocol
from pulumi.provider.experimental.property_value import PropertyValue

from components.plan.model import RegionPlan
from components.plan.packed import LARGE, PACKED, packed, unpacked
from components.plan.resources import rack_inputs, switch_group_inputs
from components.provider.plugin import HANDLERS, RegionProvider
from components.provider.rack_preview import RackPreview
from components.provider.switch_group import read_group
from components.provider.switch_preview import SwitchPreview
from components.provider.value import to_wire


def test_what_is_packed_is_unpacked_alike(lab_plan: RegionPlan) -> None:
    for inputs in (rack_inputs(lab_plan, lab_plan.racks[0]), switch_group_inputs(lab_plan)):
        carried = packed(inputs)
        assert {key for key in carried if carried[key] != inputs[key]} == PACKED & inputs.keys()
        assert unpacked(carried) == inputs
        assert unpacked(inputs) == inputs, "a state of an earlier version"


def test_what_is_too_large_to_read_is_compressed() -> None:
    switches = {"switches": {f"leaf{n}": {"config": "interface swp1 of ä\n" * 1000} for n in range(100)}}
    carried = packed(switches)["switches"]
    assert len(carried) < LARGE / 5
    assert unpacked(packed(switches)) == switches
    assert packed(switches)["switches"] == carried


def test_the_same_content_is_the_same_text() -> None:
    one, other = {"trays": {"a": {"x": 1, "y": 2}, "b": {}}}, {"trays": {"b": {}, "a": {"y": 2, "x": 1}}}
    assert packed(one) == packed(other)
    assert packed(one) != packed({"trays": {"a": {"x": 1, "y": 3}, "b": {}}})


def _nested(values: dict[str, Any]) -> dict[str, PropertyValue]:
    """As an earlier version's program handed it over: every value by itself, and each number a float."""
    message = struct_pb2.Struct()
    message.update(values)
    return PropertyValue.unmarshal_map(message)


async def test_a_state_of_an_earlier_version_is_no_difference(lab_plan: RegionPlan) -> None:
    provider = RegionProvider(HANDLERS)
    rack = rack_inputs(lab_plan, lab_plan.racks[0])
    trays = {name: {"state": tray["desired"], "left": ""} for name, tray in rack["trays"].items()}
    group = switch_group_inputs(lab_plan)
    shas = {n: {"config_sha256": d.sha256} for n, d in read_group(group).desired.items()}
    for token, inputs, outputs in (
        (RackPreview.token, rack, {"trays": trays}),
        (SwitchPreview.token, group, {"switches": shas}),
    ):
        before = _nested(inputs)
        old = {"inputs": PropertyValue(before), "outputs": PropertyValue(_nested(outputs))}
        urn = f"urn:pulumi:lab.x::region::{token}::x"
        response = await provider.diff(protocol.DiffRequest(urn, "x", old, to_wire(inputs), []))
        assert response.changes is False
        checked = await provider.check(protocol.CheckRequest(urn, before, to_wire(inputs), b""))
        assert checked.failures == []


def test_a_preview_loads_no_client_of_a_device() -> None:
    program = (
        "import sys, components.provider.plugin; "
        "print(*sorted({'paramiko', 'httpx', 'ansible_runner', 'boto3', 'rich', 'ruamel.yaml', 'components.plan.compile', "
        "'components.spec.region', 'components.provider.rack'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "", "the provider of a preview would start later for it"
