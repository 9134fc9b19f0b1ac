"""Deploy images."""

from __future__ import annotations

from typing import Literal

from components.spec.base import Model
from components.spec.types import Name


class Image(Model):
    """A whole-disk image that hosts are deployed with."""

    name: Name
    """Name in the artifact index, which knows its digest and where it lies."""
    format: Literal["raw", "qcow2"]
