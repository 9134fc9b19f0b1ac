"""Pool + stable id -> address. Pure arithmetic; nothing is ever allocated, so nothing can drift.

The rules of the description hold every id within its pool; being outside here is a bug, not a mistake
of the operator's.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network


def address(pool: IPv4Network, id: int) -> str:
    """The pool's first address + id."""
    if not 0 < id < pool.num_addresses:
        raise ValueError(f"id {id} is outside {pool}")
    return str(IPv4Address(int(pool.network_address) + id))


def subnet(pool: IPv4Network, prefix: int, id: int) -> str:
    """The pool's network number `id` of this prefix length."""
    step = 1 << (32 - prefix)
    if id < 0 or (id + 1) * step > pool.num_addresses:
        raise ValueError(f"network {id} of length {prefix} is outside {pool}")
    return f"{IPv4Address(int(pool.network_address) + id * step)}/{prefix}"


def edge_pair(pool: IPv4Network, id: int) -> tuple[str, str]:
    """Both ends of edge link `id` (from 1), ours first, with the prefix length."""
    network = IPv4Network(subnet(pool, 31, id - 1))
    return f"{network[0]}/31", f"{network[1]}/31"


def host_link(pool: IPv4Network, id: int) -> tuple[str, str]:
    """Both ends of the link of host `id` to its first leaf, plain: the leaf's, then the host's."""
    network = IPv4Network(subnet(pool, 31, id - 1))
    return str(network[0]), str(network[1])


def rack_block(pool: IPv4Network, prefix: int, rack_id: int) -> IPv4Network:
    """The block of management addresses of a rack: number id - 1 of this length."""
    return IPv4Network(subnet(pool, prefix, rack_id - 1))
