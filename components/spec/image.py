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
    os: Name
    """Distribution and release, as in the catalogue's software sets: `debian-12`, `ubuntu-2404`."""
    arch: Literal["x86_64", "aarch64"]
