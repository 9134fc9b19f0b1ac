"""Records of the region's DNS zone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from components.plan.fabric_model import FabricPlan
from components.plan.model import DnsRecord, RackPlan, RegionPlan, RuntimePlan
from components.plan.naming import bmc_name, relative
from components.spec.derive import SERVICE_NAMES


def compile_records(
    domain: str, services_address: str, fabric: FabricPlan, racks: Sequence[RackPlan], runtime: RuntimePlan
) -> tuple[DnsRecord, ...]:
    """Services of the region, services of tenants, hosts, BMCs and switches."""
    return tuple(_records(domain, services_address, fabric, racks, runtime))


def _records(
    domain: str, services_address: str, fabric: FabricPlan, racks: Sequence[RackPlan], runtime: RuntimePlan
) -> Iterator[DnsRecord]:
    for name in SERVICE_NAMES:
        yield DnsRecord(name=name, address=services_address)
    for service in runtime.services:
        yield DnsRecord(name=relative(service.host, domain), address=runtime.gateway_vip)
    for rack in racks:
        for host in rack.hosts:
            yield DnsRecord(name=host.name, address=host.oob_address)
    for rack in racks:
        for host in rack.hosts:
            yield DnsRecord(name=bmc_name(host.name), address=host.bmc_address)
    for switch in fabric.switches:
        yield DnsRecord(name=switch.name, address=switch.oob_address)


def records(plan: RegionPlan) -> dict[str, str]:
    """Name relative to the region's domain -> address, as a DNS server's configuration takes them."""
    return {record.name: record.address for record in plan.records}
