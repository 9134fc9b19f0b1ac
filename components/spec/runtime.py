"""The serverless runtime of a region. What runs on it is described tenant by tenant."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from components.spec.base import Model
from components.spec.types import Id, Name


class Gateway(Model):
    """The region's front door."""

    name: Name
    vip_id: Id
    """Its address: first address of `pools.service_vips` + this."""


class Runtime(Model):
    """What services run on."""

    gateway: Gateway
    weights_cache_gib: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    """What the cache of weights of a rack keeps at most, on the disk of one of its hosts, in GiB. The largest model of
    the catalogue takes 629."""
