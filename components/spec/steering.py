"""Steering of clients to edges: what stands in `stacks/regions/_steering.yaml`, one file for all regions."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv6Network
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator, Field, PlainSerializer

from components.spec.base import Model
from components.spec.types import Address, Domain, Name, Network

HttpPath = Annotated[str, Field(pattern=r"^/[^\s]*$")]


class Edge(Model):
    """A region that answers clients from outside it."""

    address: Address | None = None
    """Where clients reach its gateway; the gateway's own address where none is given."""


class NameServer(Model):
    """A machine that answers for the steered names."""

    name: Name
    region: Name
    """Where it stands. Names of EU-only services are on those of the Union alone."""
    address: Address
    """Where resolvers ask it."""


class Health(Model):
    """How a name server knows that an edge answers. It asks the gateway, never a service: that one may sleep."""

    path: HttpPath = "/healthz"
    """Path at the gateway that answers 200 without waking anything; plain HTTP. Gateways of all regions have it."""
    port: Annotated[int, Field(ge=1, le=65535)] = 80
    """Where it is asked: the gateway's own port, or what leads to it at an `address` that an edge is given."""
    interval_s: Annotated[int, Field(ge=2, le=60)] = 4
    """Seconds from one question to the next."""
    timeout_s: Annotated[int, Field(ge=1, le=30)] = 2
    failures: Annotated[int, Field(ge=1, le=20)] = 3
    """Bad answers until an edge is left."""
    recoveries: Annotated[int, Field(ge=1, le=20)] = 3
    """Good answers in a row until it is used again."""


Edges = Annotated[Mapping[Name, Edge], Field(min_length=1), AfterValidator(MappingProxyType), PlainSerializer(dict)]
Networks = Annotated[tuple[Network | IPv6Network, ...], Field(min_length=1)]
Clients = Annotated[Mapping[Name, Networks], AfterValidator(MappingProxyType), PlainSerializer(dict)]


class Steering(Model):
    """Names of services that run in several regions, and which edge each client is sent to."""

    domain: Domain
    """Below it are `eu`, for services of class EU, and `global` for all others."""
    edges: Edges
    """By region; the first is for clients of whom nothing is known."""
    name_servers: Annotated[tuple[NameServer, ...], Field(min_length=1)]
    clients: Clients
    """Site of the catalogue's delays -> networks whose clients, or whose resolvers, are near it."""
    health: Health = Health()
    ttl_s: Annotated[int, Field(ge=1, le=300)] = 10
    """How long a resolver may keep an answer."""
    left_within_s: Annotated[int, Field(ge=5, le=300)] = 30
    """An edge that fails has no clients any more after this time."""

    @property
    def worst_s(self) -> int:
        """From the death of an edge until no resolver sends anyone there.

        It may die right after a good answer; then `failures` questions follow, the last one waits for its time to
        run out, and a resolver may have asked the moment before.
        """
        health = self.health
        return health.interval_s * health.failures + health.timeout_s + self.ttl_s


class Steered(Model):
    """What a region that is an edge must do itself, so that clients can be sent to it."""

    domain: Domain
    """Its services that list several regions are called below this too."""
    health_path: HttpPath
    """At which its gateway says that it is up."""
