"""Zone files (RFC 1035): the region's domain, and one zone of names by address for each /16 in use.

The serial follows from the content, so that the same plan gives the same file and any change is a new
serial: a server that reloads files sees it. It does not count upwards, so a secondary server must be told
to transfer, or read the files too.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator

from components.plan.model import RegionPlan
from components.plan.renders.piece import Files, Piece

TTL_S = 300


def zones(plan: RegionPlan) -> Iterator[Piece]:
    """`<zone>.zone` for each."""
    yield Piece("", (plan.domain, plan.endpoints.dns, plan.records, plan.networks.oob), lambda: _zones(plan))


def _zones(plan: RegionPlan) -> Files:
    servers = [f"ns{number}" for number in range(1, len(plan.endpoints.dns) + 1)]
    records = [*zip(servers, plan.endpoints.dns, strict=True), *_records(plan)]
    width = max(len(name) for name, _ in records)
    yield _zone(plan, plan.domain, (f"{name:{width}} A {address}" for name, address in records))
    reverse: dict[str, list[str]] = defaultdict(list)
    seen: set[str] = set()
    for name, address in records:
        if address in seen:  # one name for an address: the first, which is the device's own
            continue
        seen.add(address)
        a, b, c, d = address.split(".")
        reverse[f"{b}.{a}.in-addr.arpa"].append(f"{f'{d}.{c}':7} PTR {name}.{plan.domain}.")
    for zone in sorted(reverse):
        yield _zone(plan, zone, reverse[zone])


def _records(plan: RegionPlan) -> Iterator[tuple[str, str]]:
    """Those of the plan, and whatever else answers on the out-of-band network."""
    named: set[str] = set()
    for record in plan.records:
        named.add(record.name)
        yield record.name, record.address
    for endpoint in plan.networks.oob.endpoints:
        if endpoint.name not in named:
            named.add(endpoint.name)
            yield endpoint.name, endpoint.address
    for switch in plan.networks.oob.switches:
        if switch.name not in named:
            named.add(switch.name)
            yield switch.name, switch.address


def _zone(plan: RegionPlan, zone: str, lines: Iterable[str]) -> tuple[str, str]:
    body = "".join(f"{line}\n" for line in lines)
    serial = int(hashlib.sha256(body.encode()).hexdigest()[:8], 16) or 1
    servers = [f"ns{number}.{plan.domain}." for number in range(1, len(plan.endpoints.dns) + 1)]
    head = f"$ORIGIN {zone}.\n$TTL {TTL_S}\n@ SOA {servers[0]} hostmaster.{plan.domain}. {serial} 3600 600 1209600 {TTL_S}\n"
    return f"{zone}.zone", head + "".join(f"@ NS {server}\n" for server in servers) + body
