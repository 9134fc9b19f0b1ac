"""The serverless runtime of a region. What runs on it is described tenant by tenant."""

from __future__ import annotations

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
