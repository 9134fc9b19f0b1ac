"""How a layer hands its outputs to the next: one helper over StackReference."""

from __future__ import annotations

from typing import Any

import pulumi

PROJECT = "region"


def output_of(region: str, layer: str, key: str) -> pulumi.Output[Any]:
    """An output of another layer of the region.

    The preview of a region that is not up yet has no such output: then the value is unknown (None),
    and the layer's resources are previewed as creations.
    """
    reference = pulumi.StackReference(f"organization/{PROJECT}/{region}.{layer}")
    return reference.get_output(key)
