"""Pool + stable id -> address. Pure arithmetic; nothing is ever allocated, so nothing can drift.

The rules of the description hold every id within its pool; being outside here is a bug, not a mistake
of the operator's.
"""

from __future__ import annotations

from ipaddress import IPv4Network

LINK_PREFIX = 31
"""Of a link between two routers."""


def dotted(number: int) -> str:
    """An address as it is written; a third of the time that IPv4Address takes, and regions have 60,000."""
    return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def address(pool: IPv4Network, id: int) -> str:
    """The pool's first address + id."""
    if not 0 < id < pool.num_addresses:
        raise ValueError(f"id {id} is outside {pool}")
    return dotted(int(pool.network_address) + id)


def subnet(pool: IPv4Network, prefix: int, id: int) -> str:
    """The pool's network number `id` of this prefix length."""
    return f"{dotted(_first(pool, prefix, id))}/{prefix}"


def edge_pair(pool: IPv4Network, id: int) -> tuple[str, str]:
    """Both ends of edge link `id` (from 1), ours first, with the prefix length."""
    first = _first(pool, LINK_PREFIX, id - 1)
    return f"{dotted(first)}/{LINK_PREFIX}", f"{dotted(first + 1)}/{LINK_PREFIX}"


def host_link(pool: IPv4Network, id: int) -> tuple[str, str]:
    """Both ends of the link of host `id` to its first leaf, plain: the leaf's, then the host's."""
    first = _first(pool, LINK_PREFIX, id - 1)
    return dotted(first), dotted(first + 1)


def rack_block(pool: IPv4Network, prefix: int, rack_id: int) -> IPv4Network:
    """The block of management addresses of a rack: number id - 1 of this length."""
    return IPv4Network((_first(pool, prefix, rack_id - 1), prefix))


def in_rack_block(pool: IPv4Network, prefix: int, rack_id: int, offset: int) -> str:
    """The address at this place of a rack's block."""
    if not 0 < offset < 1 << (32 - prefix):
        raise ValueError(f"{offset} is outside a block of length {prefix}")
    return dotted(_first(pool, prefix, rack_id - 1) + offset)


def _first(pool: IPv4Network, prefix: int, id: int) -> int:
    step = 1 << (32 - prefix)
    if id < 0 or (id + 1) * step > pool.num_addresses:
        raise ValueError(f"network {id} of length {prefix} is outside {pool}")
    return int(pool.network_address) + id * step
