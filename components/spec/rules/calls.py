"""Rules on how tenants' services are called: by which ports, how their health is asked, what is repeated."""

from __future__ import annotations

from collections.abc import Iterator

from components.spec.region import Region
from components.spec.rules.rule import Fault, rule
from components.spec.service import Kind, Protocol
from components.spec.services import services_of


@rule("service-ports", "tenants", partial=True)
def ports_suit_the_type(region: Region) -> Iterator[Fault]:
    """What answers requests has a port for them, and each port once; only the first is reached by the gateway.

    Example: `type: web` with `ports: []`, or with tcp as its first port.
    """
    for placed in services_of(region):
        ports = placed.service.ports
        numbers = [port.port for port in ports]
        if placed.service.type is Kind.WEB and (not ports or ports[0].protocol is Protocol.TCP):
            yield Fault(
                at=(*placed.at, "ports"),
                message="the gateway sends requests to the first port",
                found=ports[0].protocol.value if ports else "no port",
                allowed="http or http2 first",
                remedy="put the port for requests first, or make it a worker",
            )
        elif len(set(numbers)) < len(numbers):
            yield Fault(
                at=(*placed.at, "ports"),
                message="a port is there twice",
                found=", ".join(map(str, numbers)),
                allowed="each once",
                remedy="remove one",
            )


@rule("service-health-unsuited", "tenants", partial=True)
def health_is_asked_as_the_port_speaks(region: Region) -> Iterator[Fault]:
    """What speaks HTTP/2 is not asked for its health at a path, which the kubelet does by HTTP/1.1; what does not, not
    by gRPC.

    Example: `ports: [{protocol: http2}]` with `health: {path: /healthz}`.
    """
    for placed in services_of(region):
        health, ports = placed.service.health, placed.service.ports
        speaks_http2 = bool(ports) and ports[0].protocol is Protocol.HTTP2
        if health and health.path and speaks_http2:
            yield Fault(
                at=(*placed.at, "health", "path"),
                message=f"a path is asked for by HTTP/1.1, and the first port of {placed.name} speaks HTTP/2",
                found=health.path,
                allowed="`grpc: true`, or no path",
                remedy="ask the health service of gRPC, or leave the path out: then the port alone is looked at",
            )
        elif health and health.grpc and not speaks_http2:
            yield Fault(
                at=(*placed.at, "health", "grpc"),
                message=f"gRPC needs HTTP/2, which the first port of {placed.name} does not speak",
                found=ports[0].protocol.value if ports else "no port",
                allowed="http2 first",
                remedy="write `protocol: http2` there, or ask a `path`",
            )


@rule("service-repeatable-unsuited", "tenants", partial=True)
def only_what_has_requests_has_them_repeated(region: Region) -> Iterator[Fault]:
    """Whether a request may be worked on twice is said of what has requests.

    Example: a job with `repeatable: true`.
    """
    for placed in services_of(region):
        if placed.service.repeatable is not None and placed.service.type is not Kind.WEB:
            yield Fault(
                at=(*placed.at, "repeatable"),
                message=f"{placed.name} is a {placed.service.type.value}: the gateway sends it no requests",
                found=str(placed.service.repeatable).lower(),
                allowed="nothing",
                remedy="remove it, or change `type`",
            )


RULES = (
    ports_suit_the_type,
    health_is_asked_as_the_port_speaks,
    only_what_has_requests_has_them_repeated,
)
