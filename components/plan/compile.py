"""Compiles a description and an artifact index into a plan. Pure: the same input gives the same plan."""

from __future__ import annotations

from components.errors import SpecError
from components.plan.cluster import compile_cluster
from components.plan.dns import compile_records
from components.plan.fabric import compile_fabric
from components.plan.landing import land
from components.plan.model import Endpoints, OutOfBandPlan, RegionPlan
from components.plan.naming import oob_bridge
from components.plan.networks.compile import compile_networks
from components.plan.power import compile_power
from components.plan.racks import compile_racks
from components.plan.rules import RULES
from components.plan.runtime import compile_runtime
from components.plan.site import compile_site
from components.plan.topology import compile_topology
from components.plan.workload_rules import problems as workload_problems
from components.spec.artifacts import ArtifactIndex
from components.spec.derive import registry_tokens
from components.spec.region import Region


def compile_region(region: Region, artifacts: ArtifactIndex) -> RegionPlan:
    """The whole plan. Raises SpecError if the description names what is not published."""
    landings = land(region)
    problems = [problem for rule in RULES for problem in rule(region, artifacts)]
    problems += workload_problems(region, landings, artifacts)
    if problems:
        raise SpecError(f"{region.region}: what the region names cannot be had", problems)
    racks = compile_racks(region, artifacts)
    topology = compile_topology(region)
    fabric = compile_fabric(region, racks)
    runtime = compile_runtime(region, landings, artifacts)
    return RegionPlan(
        region=region.region,
        domain=region.site.domain,
        site=compile_site(region),
        endpoints=_endpoints(region),
        oob=OutOfBandPlan(
            network=str(region.pools.oob.network),
            gateway=str(region.pools.oob.gateway),
            bridge=oob_bridge(region.region),
        ),
        topology=topology,
        power=compile_power(region),
        fabric=fabric,
        networks=compile_networks(region, racks, fabric, topology),
        racks=racks,
        cluster=compile_cluster(region, artifacts, racks),
        runtime=runtime,
        records=compile_records(region.site.domain, str(region.services.address), fabric, racks, runtime),
    )


def _endpoints(region: Region) -> Endpoints:
    services, pki = region.services, region.pki
    return Endpoints(
        address=str(services.address),
        ironic=services.ironic,
        images=services.images,
        registry=services.registry,
        registry_tokens=registry_tokens(services.registry),
        apt_url=services.apt.url,
        apt_suite=services.apt.suite,
        apt_key=services.apt.key,
        s3=services.s3,
        ntp=tuple(str(a) for a in services.ntp),
        dns=tuple(str(a) for a in services.dns),
        ca_certificate=pki.ca_certificate,
        ca_key=pki.ca_key,
        credentials=region.credentials.model_dump(),
    )
