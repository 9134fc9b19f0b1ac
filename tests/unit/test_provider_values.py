"""Values and differences between Pulumi's protocol and handlers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pulumi.provider.experimental import provider as protocol
from pulumi.provider.experimental.property_value import PropertyValue

from components.errors import Problem, RegionError
from components.provider.handler import Change, Context, Created, Properties
from components.provider.plugin import HANDLERS, RegionProvider
from components.provider.value import has_unknown, merged, to_plain, to_wire

SCALAR = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text("xy: ", max_size=5)
KEY = st.sampled_from("abcd")
JSON = SCALAR | st.lists(SCALAR, max_size=3) | st.dictionaries(KEY, st.lists(SCALAR, max_size=2), max_size=3)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(KEY, JSON, max_size=4))
def test_values_survive_the_way_there_and_back(values: dict[str, Any]) -> None:
    assert to_plain(PropertyValue.unmarshal_map(PropertyValue.marshal_map(to_wire(values)))) == values


def test_whole_numbers_stay_whole() -> None:
    assert repr(to_plain({"n": PropertyValue(3.0), "x": PropertyValue(0.5)})) == "{'n': 3, 'x': 0.5}"


def test_an_unknown_deep_inside_is_seen() -> None:
    assert has_unknown({"a": PropertyValue([PropertyValue({"b": PropertyValue.computed()})])})
    assert not has_unknown(to_wire({"a": [{"b": "text"}]}))


def test_state_is_outputs_laid_over_inputs() -> None:
    inputs = {"trays": {"t1": {"serial": "S", "desired": "active"}}, "rack": "r"}
    outputs = {"trays": {"t1": {"state": "active"}}}
    assert merged(inputs, outputs) == {
        "trays": {"t1": {"serial": "S", "desired": "active", "state": "active"}},
        "rack": "r",
    }


class Echo:
    """Handler that differs where told."""

    token = "gpuregion:test:Echo"

    def check(self, inputs: Properties) -> list[Problem]:
        return [Problem(path="size", message="too large", found="9", allowed="at most 8", remedy="edit racks.yaml")]

    def diff(self, old: Properties, new: Properties) -> list[Change]:
        return [Change(key=k, text=k, replaces=k == "rack") for k in sorted({*old, *new}) if old.get(k) != new.get(k)]

    def unfinished(self, inputs: Properties, outputs: Properties) -> list[Change]:
        return [] if outputs.get("state") == "done" else [Change(key="size", text="go on")]

    async def create(self, name: str, inputs: Properties, context: Context) -> Created:
        raise NotImplementedError

    async def update(self, id: str, old: Properties, new: Properties, context: Context) -> dict[str, Any]:
        raise NotImplementedError

    async def read(self, id: str, state: Properties, context: Context) -> dict[str, Any] | None:
        raise NotImplementedError

    async def delete(self, id: str, state: Properties, context: Context) -> None:
        raise NotImplementedError


URN = "urn:pulumi:lab.substrate::region::gpuregion:baremetal:RackGroup$gpuregion:test:Echo::r01"


async def diff(old: dict[str, Any], outputs: dict[str, Any], new: dict[str, Any]) -> protocol.DiffResponse:
    state = to_wire({"inputs": old, "outputs": outputs})
    return await RegionProvider({Echo.token: Echo()}).diff(protocol.DiffRequest(URN, "r01", state, to_wire(new), []))


async def test_a_difference_names_its_keys_and_which_of_them_replace() -> None:
    response = await diff({"rack": "r01", "size": 1}, {"state": "done"}, {"rack": "r02", "new": 1})
    kinds = {key: d.kind.name for key, d in response.detailed_diff.items()}
    assert kinds == {"rack": "UPDATE_REPLACE", "size": "DELETE", "new": "ADD"}
    assert response.replaces == ["rack"]
    assert response.changes is True


async def test_no_difference_and_nothing_unfinished_is_no_change() -> None:
    assert (await diff({"size": 1}, {"state": "done"}, {"size": 1})).changes is False


async def test_what_an_earlier_run_left_undone_is_a_change() -> None:
    response = await diff({"size": 1}, {"state": "failed"}, {"size": 1})
    assert response.changes is True
    assert list(response.detailed_diff) == ["size"]


async def check(old: dict[str, Any], new: dict[str, Any]) -> protocol.CheckResponse:
    request = protocol.CheckRequest(URN, to_wire(old), to_wire(new), b"")
    return await RegionProvider({Echo.token: Echo()}).check(request)


async def test_a_problem_becomes_a_failure_with_all_its_words() -> None:
    response = await check({}, {"size": 9})
    assert response.failures is not None
    failure = response.failures[0]
    assert failure.property == "size"
    assert failure.reason == "too large\n    found: 9\n    allowed: at most 8\n    remedy: edit racks.yaml"


async def test_what_is_recorded_is_not_checked_again() -> None:
    assert (await check({"size": 9}, {"size": 9})).failures == []
    assert (await check({"size": 9, "rack": "r01"}, {"size": 9, "rack": "r02"})).failures


async def test_inputs_that_are_not_known_yet_are_not_judged() -> None:
    request = protocol.CheckRequest(URN, {}, {"size": PropertyValue.computed()}, b"")
    assert (await RegionProvider({Echo.token: Echo()}).check(request)).failures == []


async def test_an_unknown_type_names_the_known_ones() -> None:
    with pytest.raises(RegionError, match="gpuregion:test:Echo"):
        await RegionProvider({Echo.token: Echo()}).check(protocol.CheckRequest("urn:a::b::x:y:Z::n", {}, {}, b""))


async def test_settings_that_are_missing_are_all_named() -> None:
    with pytest.raises(RegionError, match=r"(?s)gpuregion:region.*gpuregion:project"):
        await RegionProvider({}).configure(protocol.ConfigureRequest({}, {}, False, False))


def test_every_handler_is_registered_under_its_own_token() -> None:
    assert {token: handler.token for token, handler in HANDLERS.items()} == {token: token for token in HANDLERS}
    assert set(HANDLERS) == {
        "gpuregion:baremetal:Rack",
        "gpuregion:network:SwitchConfig",
        "gpuregion:ansible:PlaybookRun",
        "gpuregion:runtime:Certificate",
        "gpuregion:runtime:Bucket",
        "gpuregion:runtime:BucketReader",
    }
