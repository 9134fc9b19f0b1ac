"""How properties that hold thousands of values travel through Pulumi, and stand in its state: as one text each.

Pulumi's SDK, engine and plugin protocol look at each value of a property by itself. 4,500 trays are 90,000 of them,
and carrying these there and back cost more than all the rest of a preview. As one text of JSON a property is one
value. Nothing is lost by it: Pulumi shows the difference of two such texts as the difference of what they hold, and
the words for people come from the provider's `diff`, which sees them unpacked.

Owns which properties these are. Everything but Pulumi sees them unpacked. A state of an earlier version holds them
as they are, which `unpacked` leaves alone; the next update records them packed.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from typing import Any

PACKED = frozenset({"trays", "switches", "inventory"})
"""Properties, of inputs and of outputs, that are carried as a text."""
LARGE = 100_000
"""Characters from which on a text is compressed, as the 17 million of a whole fabric's configurations: the engine
copies and compares it a dozen times, and nobody reads a difference in so much."""
_COMPRESSED = "zlib:"


def packed(properties: Mapping[str, Any]) -> dict[str, Any]:
    """As Pulumi carries them. The same content is always the same text."""
    return {key: _text(value) if key in PACKED else value for key, value in properties.items()}


def unpacked(properties: Mapping[str, Any]) -> dict[str, Any]:
    """As everybody else reads them."""
    return {key: content(value) if key in PACKED else value for key, value in properties.items()}


def content(value: Any) -> Any:
    """What one of these properties holds, be it packed or, by an earlier version, not."""
    if not isinstance(value, str):
        return value
    compressed = value.removeprefix(_COMPRESSED)
    return json.loads(value if compressed == value else zlib.decompress(base64.b64decode(compressed)))


def _text(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if len(text) < LARGE:
        return text
    return _COMPRESSED + base64.b64encode(zlib.compress(text.encode())).decode()
