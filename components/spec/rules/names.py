"""Rules on names that are made out of names: hosts, interfaces, namespaces of tenants."""

from __future__ import annotations

from collections.abc import Iterator

from components.spec.derive import HOST_SUFFIXES, edge_interface, host_name, oob_bridge, tenant_bucket
from components.spec.limits import DNS_LABEL, INTERFACE_NAME
from components.spec.region import Region
from components.spec.rules.rule import Fault, rule


@rule("host-name-too-long", "racks", partial=True)
def host_names(region: Region) -> Iterator[Fault]:
    """The names of a tray and of its BMC, which end in the slot and in `-bmc`, are DNS labels.

    Example: a rack whose name has 56 characters.
    """
    for r, rack in enumerate(region.racks):
        longest = max(len(host_name(rack.name, tray.slot) + end) for tray in rack.trays for end in HOST_SUFFIXES)
        if longest > DNS_LABEL:
            yield Fault(
                at=("racks", r, "name"),
                message=f"the names of its BMCs have {longest} characters",
                found=f"{len(rack.name)} characters",
                allowed=f"at most {len(rack.name) - longest + DNS_LABEL}, so that RACK-tNN-bmc is a DNS label",
                remedy="choose a shorter name",
            )


@rule("region-interface-too-long", "region", "fabric", "catalogue", partial=True)
def interfaces(region: Region) -> Iterator[Fault]:
    """On a bench machine, the interfaces outside the fabric are named after the region and fit Linux.

    Example: a simulated region named marshmallow.
    """
    switch = region.catalogue.switch(region.fabric.switch)
    if switch is None or not switch.simulated:  # elsewhere, what is outside has its own names
        return
    edges = [edge_interface(region.region, leaf.edge.id) for leaf in region.fabric.leaves if leaf.edge]
    longest = max([oob_bridge(region.region), *edges], key=len)
    if len(longest) > INTERFACE_NAME:
        yield Fault(
            at=("region",),
            message=f"the interface {longest} that is named after it has {len(longest)} characters",
            found=region.region,
            allowed=f"at most {len(region.region) - len(longest) + INTERFACE_NAME} characters here",
            remedy="choose a shorter name for the region",
        )


@rule("tenant-name-too-long", "region", "tenants", partial=True)
def tenant_names(region: Region) -> Iterator[Fault]:
    """The bucket of a tenant, called `REGION-tenant-TENANT`, has a name that S3 and DNS take; its namespace is shorter.

    Example: a tenant whose name has 60 characters.
    """
    for t, tenant in enumerate(region.tenants):
        longest = len(tenant_bucket(region.region, tenant.tenant))
        if longest > DNS_LABEL:
            yield Fault(
                at=("tenants", t, "tenant"),
                message=f"the name of its bucket would have {longest} characters",
                found=f"{len(tenant.tenant)} characters",
                allowed=f"at most {len(tenant.tenant) - longest + DNS_LABEL}",
                remedy="choose a shorter name for the tenant and its file",
            )


RULES = (host_names, interfaces, tenant_names)
