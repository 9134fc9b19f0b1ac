"""Narrow reusable types of the description: names, MACs, networks, ranges, references.

Each check raises an error whose type is the stable id of the rule. The text, and what is allowed,
stand here, beside the rule; `components.spec.problems` only adds where it was found.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from components.spec.limits import DNS_LABEL, INTERFACE_NAME, MAX_MTU, MIN_MTU

_LABEL = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_MAC = r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}"
_REFERENCE = r"(file:(?!/)[^\s]+|env:[A-Z_][A-Z0-9_]*)"


def _fault(rule: str, message: str, *, allowed: str, remedy: str) -> PydanticCustomError:
    # The message is a template to pydantic: braces never occur in ours.
    return PydanticCustomError(rule, message, {"allowed": allowed, "remedy": remedy})  # type: ignore[arg-type]


def _label(value: str) -> str:
    if len(value) > DNS_LABEL:
        raise _fault(
            "name-too-long",
            f"the name has {len(value)} characters, and becomes a DNS label and a Kubernetes label",
            allowed=f"at most {DNS_LABEL} characters",
            remedy="choose a shorter name",
        )
    if not re.fullmatch(_LABEL, value):
        raise _fault(
            "name-form",
            "the name is not a DNS label",
            allowed="lower-case letters, digits and inner hyphens",
            remedy="rename it",
        )
    return value


def _domain(value: str) -> str:
    if len(value) > 253 or not all(re.fullmatch(_LABEL, part) and len(part) <= DNS_LABEL for part in value.split(".")):
        raise _fault(
            "domain-form",
            "this is not a DNS domain name",
            allowed="labels of lower-case letters, digits and hyphens, joined by dots; 253 characters",
            remedy="write the name without a final dot",
        )
    return value


def _mac(value: str) -> str:
    if not re.fullmatch(_MAC, value):
        raise _fault(
            "mac-form",
            "this is not a MAC address",
            allowed="six pairs of hexadecimal digits joined by colons",
            remedy="copy it from the tray's label, and keep the quotes",
        )
    mac = value.lower()
    if int(mac[:2], 16) & 1 or mac == "00:00:00:00:00:00":
        raise _fault(
            "mac-not-unicast",
            "no network card has this MAC address: it is a group address or all zero",
            allowed="an address whose first byte is even",
            remedy="copy it from the tray's label",
        )
    return mac


def _interface(value: str) -> str:
    if len(value) > INTERFACE_NAME:
        raise _fault(
            "interface-name-too-long",
            f"the interface name has {len(value)} characters",
            allowed=f"at most {INTERFACE_NAME} characters (Linux)",
            remedy="choose a shorter name",
        )
    if not re.fullmatch(r"[a-z][a-z0-9]*[0-9]+", value):
        raise _fault(
            "interface-name-form",
            "this is not an interface name",
            allowed="lower-case letters and digits that end in a number, such as swp48",
            remedy="use the port's name in the operating system",
        )
    return value


def _reference(value: str) -> str:
    scheme, colon, path = value.partition(":")
    if not colon or scheme not in ("file", "env"):
        # It may well be the secret itself, so the value is not repeated anywhere.
        raise _fault(
            "secret-plain",
            "only a reference to a secret may stand here, never a value",
            allowed="file:PATH, relative to the project, or env:NAME",
            remedy="put the secret into a file of mode 0600 and write file:PATH; if this was a real"
            " secret, change it, as it stands in a file under version control",
        )
    if not re.fullmatch(_REFERENCE, value) or ".." in path.split("/"):
        raise _fault(
            "secret-reference-form",
            "the reference does not point into the project or to an environment variable",
            allowed="file:PATH, relative to the project and inside it, or env:NAME in capitals",
            remedy="write the path relative to the project's root",
        )
    return value


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.username is not None or parts.password is not None:
        raise _fault(
            "url-with-credentials",
            "a URL may not hold credentials",
            allowed="https://HOST:PORT",
            remedy="use a reference under credentials; if this was a real secret, change it",
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or value.endswith("/"):
        raise _fault(
            "url-form",
            "this is not the base URL of a service",
            allowed="http:// or https://, a host, perhaps a port and a path, no final slash",
            remedy="write it as in https://172.30.0.1:6385",
        )
    return value


def _registry(value: str) -> str:
    host, colon, port = value.partition(":")
    if not colon or not port.isdigit() or not 0 < int(port) < 65536:
        raise _fault(
            "registry-form",
            "this is not a registry as image names begin with",
            allowed="HOST:PORT without a scheme",
            remedy="write it as in registry.lab.internal:5000",
        )
    _domain(host)
    return value


def _address(value: object) -> object:
    try:
        IPv4Address(str(value))
    except AddressValueError:
        raise _fault(
            "address-form",
            "this is not an IPv4 address",
            allowed="four numbers, as in 172.30.0.1",
            remedy="correct the address",
        ) from None
    return value


def _network(value: object) -> object:
    try:
        wide = IPv4Network(str(value), strict=False)
        if str(wide) == str(value):
            return value
        nearest = f"write {wide}, if this network is meant"
    except ValueError:
        nearest = "correct the network"
    raise _fault(
        "network-form",
        "this is not an IPv4 network",
        allowed="address/length with all host bits zero, as in 172.30.0.0/24",
        remedy=nearest,
    )


def _text(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern})


Name = Annotated[
    str, AfterValidator(_label), WithJsonSchema({"type": "string", "pattern": f"^{_LABEL}$", "maxLength": DNS_LABEL})
]
"""A DNS label; also fit for host names and Kubernetes names."""

Domain = Annotated[str, AfterValidator(_domain), _text(rf"^{_LABEL}(\.{_LABEL})*$")]
"""A DNS domain name, without the final dot."""

Mac = Annotated[str, AfterValidator(_mac), _text(f"^{_MAC}$")]
"""A unicast MAC address; kept in lower case."""

Interface = Annotated[str, AfterValidator(_interface), _text("^[a-z][a-z0-9]*[0-9]+$")]
"""A network interface of a host or port of a switch."""

HostInterface = Annotated[str, Field(pattern=r"^[a-z][a-zA-Z0-9]{0,14}$")]
"""A network interface of Linux; names of PCI domains hold a capital P, as in enP6p3s0f0np0."""

SecretReference = Annotated[str, AfterValidator(_reference), _text(f"^{_REFERENCE}$")]
"""Where a secret (or a file of keys) is: `file:PATH` relative to the project, or `env:NAME`."""

Url = Annotated[str, AfterValidator(_url), _text("^https?://[^@]+[^/]$")]
"""Base URL of a service, without a final slash."""

Registry = Annotated[str, AfterValidator(_registry), _text("^[a-z0-9.-]+:[0-9]+$")]
"""An image registry as image names begin with: host and port."""

Address = Annotated[IPv4Address, BeforeValidator(_address), WithJsonSchema({"type": "string", "format": "ipv4"})]
"""A plain IPv4 address."""

Network = Annotated[IPv4Network, BeforeValidator(_network), _text(r"^[0-9]+(\.[0-9]+){3}/[0-9]+$")]
"""An IPv4 network with its prefix length."""

Id = Annotated[int, Field(ge=1, le=1_000_000)]
"""A stable number that addresses and names follow from. Never changed, never given again."""

Serial = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""Serial number as the maker prints it and the BMC reports it."""

Version = Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")]
"""An exact version, three numbers."""

Mtu = Annotated[int, Field(ge=MIN_MTU, le=MAX_MTU)]
"""Largest packet, bytes."""

Percent = Annotated[int, Field(ge=1, le=100)]
"""A whole part of a hundred, of something rather than nothing."""
