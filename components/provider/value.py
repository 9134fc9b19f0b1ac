"""Values between Pulumi's protocol and handlers.

Owns the two directions: handlers see plain Python (whole numbers as int, nothing packed), the protocol its own type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from pulumi.provider.experimental.property_value import Computed, PropertyValue

from components.plan.packed import packed, unpacked

Wire = Mapping[str, PropertyValue]


def has_unknown(values: Wire) -> bool:
    """Whether any value, however deep, is only known once another resource exists."""
    return any(_is_unknown(value) for value in values.values())


def _is_unknown(value: PropertyValue) -> bool:
    inner = value.value
    if isinstance(inner, Computed):
        return True
    if isinstance(inner, Mapping):
        return any(_is_unknown(v) for v in inner.values())
    return isinstance(inner, Sequence) and not isinstance(inner, str) and any(_is_unknown(v) for v in inner)


def to_plain(values: Wire) -> dict[str, Any]:
    """Plain Python; internal keys (`__...`) are left out."""
    return unpacked({key: _plain(value) for key, value in values.items() if not key.startswith("__")})


def _plain(value: PropertyValue) -> Any:
    inner = value.value
    if isinstance(inner, Mapping):
        return {key: _plain(v) for key, v in inner.items()}
    if isinstance(inner, Sequence) and not isinstance(inner, str):
        return [_plain(v) for v in inner]
    # The protocol knows one kind of number; a count or a port is not 3.0.
    if isinstance(inner, float) and inner.is_integer():
        return int(inner)
    return inner


def to_wire(values: Mapping[str, Any]) -> dict[str, PropertyValue]:
    """The protocol's values."""
    return {key: _wire(value) for key, value in packed(values).items()}


def _wire(value: Any) -> PropertyValue:
    if isinstance(value, Mapping):
        return PropertyValue({str(k): _wire(v) for k, v in cast("Mapping[Any, Any]", value).items()})
    if isinstance(value, (list, tuple)):
        return PropertyValue([_wire(v) for v in cast("Sequence[Any]", value)])
    if isinstance(value, int) and not isinstance(value, bool):
        return PropertyValue(float(value))
    return PropertyValue(value)


def merged(inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> dict[str, Any]:
    """`outputs` laid over `inputs`, mapping by mapping: what a handler calls state."""
    result = dict(inputs)
    for key, value in outputs.items():
        below = result.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            result[key] = merged(cast("Mapping[str, Any]", below), cast("Mapping[str, Any]", value))
        else:
            result[key] = value
    return result
