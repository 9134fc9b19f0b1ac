"""A tenant of a region: who may act for it, what it may use and spend, what it runs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from components.spec.base import Model
from components.spec.service import Service, Sovereignty
from components.spec.types import Name, SecretReference


class PersonRole(StrEnum):
    """What a person may do in the tenant's part of the cluster."""

    ADMIN = "admin"
    """Everything there, other people's rights too."""
    DEVELOPER = "developer"
    """Deploy and read, but no secrets and no rights."""
    VIEWER = "viewer"
    """Read, but no secrets."""


class Person(Model):
    """Somebody who acts for the tenant."""

    name: Annotated[str, Field(pattern=r"^[^\s:]+$", max_length=200)]
    """Name that the region's identity provider gives, as it stands in a certificate or token."""
    role: PersonRole


class ApiKey(Model):
    """A key by which clients of the tenant's services are known."""

    name: Name
    """Names the client in metrics and logs."""
    secret: SecretReference
    """Where the key is; at least 32 characters."""


class Quota(Model):
    """What a tenant may use at most, at one time."""

    pods: Annotated[int, Field(ge=0)]
    gpus: Annotated[int, Field(ge=0)]
    """Devices claimed at one time; promised, so the quotas of all tenants fit into the region."""
    cpu: Annotated[int, Field(ge=1)] | None = None
    """Cores that all its pods ask for; not bounded where none is given."""
    memory_gib: Annotated[int, Field(ge=1)] | None = None
    """Memory that all its pods ask for, GiB; not bounded where none is given."""
    borrow_gpus: Annotated[int, Field(ge=0)] = 0
    """GPUs beyond `gpus` that its jobs may use while other tenants leave theirs idle; taken back when they ask."""


class AtLimit(StrEnum):
    """What happens when a month's budget is used up."""

    WARN = "warn"
    """People are told; all goes on."""
    HOLD = "hold"
    """What runs goes on, nothing new starts."""


class Budget(Model):
    """What a tenant means to spend. A warning comes at 80 %."""

    month_eur: Annotated[float, Field(gt=0)]
    at_limit: AtLimit = AtLimit.WARN


class TenantBucket(Model):
    """The tenant's bucket in the region's object store. Each tenant has one, whether or not its file says so."""

    key: Annotated[int, Field(ge=1)] = 1
    """Number of its secret key. Another number makes another key, and the old one is refused from then on."""
    expected_gb: Annotated[float, Field(ge=0, le=1_000_000_000)] | None = None
    """For forecasts of cost: what it is expected to hold in a month, GB. Nothing bounds what it does hold."""


class Tenant(Model):
    """One file of `tenants/`; its name is the tenant's."""

    tenant: Name
    people: tuple[Person, ...] = ()
    keys: tuple[ApiKey, ...] = ()
    """Without any, the services are open to all who reach the gateway."""
    sovereignty: Sovereignty = Sovereignty.EU
    """Class of all services that do not name their own."""
    quota: Quota
    budget: Budget | None = None
    rate_limit_rps: Annotated[int, Field(ge=1)] | None = None
    """Requests a second that the gateway lets through to one service; not bounded where none is given."""
    bucket: TenantBucket = TenantBucket()
    services: tuple[Service, ...] = ()
