"""Rules on kinds of switches: they are in the catalogue, and made for the network they are used in."""

from __future__ import annotations

from collections.abc import Iterator

from components.spec.position import Location
from components.spec.region import Region
from components.spec.rules.rule import Fault, rule, unknown

_MADE_FOR = {"fabric": ("ethernet",), "compute": ("infiniband",), "oob": ("oob", "ethernet")}
"""Kinds of switches that a network may be built of."""


def _used(region: Region) -> Iterator[tuple[str, Location, str]]:
    """Network, place and name of each kind of switch."""
    yield "fabric", ("fabric", "switch"), region.fabric.switch
    if region.compute:
        yield "compute", ("compute", "switch"), region.compute.switch
    if region.oob:
        yield "oob", ("oob", "switch"), region.oob.switch


@rule("network-switch-unknown", "fabric", "compute", "oob", "catalogue")
def switches_exist(region: Region) -> Iterator[Fault]:
    """Every kind of switch that a network names is in the catalogue.

    Example: `switch: sn56000`.
    """
    known = {switch.switch for switch in region.catalogue.switches}
    for _, at, name in _used(region):
        if name not in known:
            yield unknown(at, "kind of switch", name, known, "the catalogue")


@rule("network-switch-kind", "fabric", "compute", "oob", "catalogue")
def switches_fit_the_network(region: Region) -> Iterator[Fault]:
    """InfiniBand switches carry no Ethernet, and none of the others carries InfiniBand.

    Example: a QM9700 in the out-of-band network.
    """
    for network, at, name in _used(region):
        switch, fitting = region.catalogue.switch(name), _MADE_FOR[network]
        if switch and switch.kind not in fitting:
            known = [each.switch for each in region.catalogue.switches if each.kind in fitting]
            yield Fault(
                at=at,
                message=f"a switch of this kind cannot carry the {network} network",
                found=f"{name}, which is {switch.kind}",
                allowed=", ".join(known) or f"a switch that is {' or '.join(fitting)}",
                remedy="name a switch that is made for it",
            )


@rule("switch-os-unsupported", "fabric", "catalogue")
def systems_run_on_it(region: Region) -> Iterator[Fault]:
    """The operating system that the fabric is configured for runs on its switches.

    Example: `switch_os: frr` with SN5600.
    """
    switch = region.catalogue.switch(region.fabric.switch)
    if switch and region.fabric.switch_os not in switch.os:
        yield Fault(
            at=("fabric", "switch_os"),
            message=f"this operating system does not run on {switch.switch}",
            found=region.fabric.switch_os,
            allowed=", ".join(switch.os),
            remedy="take one that does, or other switches",
        )


RULES = (switches_exist, switches_fit_the_network, systems_run_on_it)
