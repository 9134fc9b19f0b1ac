"""Narrow types of the catalogue."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Pci = Annotated[str, Field(pattern=r"^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$")]
"""A PCI address: domain, bus, device and function."""

Rdma = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*[0-9]$")]
"""Name of an RDMA device, as in mlx5_0."""

Label = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=63)]
"""A short name in lower case."""

Count = Annotated[int, Field(ge=1, le=10_000)]
"""A number of things."""

Kilowatts = Annotated[float, Field(gt=0, le=10_000)]
"""Electric power, kW."""

GigabitPerSecond = Annotated[float, Field(gt=0, le=10_000)]
"""Speed of a port, Gbit/s."""

PartVersion = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
"""An exact version as the maker writes it."""

Minor = Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]+$")]
"""A minor version, two numbers."""
