"""Configuration of the name servers that steer clients to edges: gdnsd 3.8, its `geoip` and `http_status` plugins.

A pool of the plan becomes a map (which order for which network) and a resource (which address is behind which
region). An EU pool's map knows regions of the Union and no others, so that no state of health, no override by hand
and no network of a client can bring another region's address into an answer: where all are down, gdnsd answers with
the first of the same map. The order of everything is the plan's: the same plan gives the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from components.plan.edges.model import NameServerPlan, PoolPlan, SteeringPlan
from components.plan.renders.piece import Files
from components.plan.renders.text import json_text
from components.spec.service import Sovereignty

RUN_DIR = "/run/gdnsd"
STATE_DIR = "/var/lib/gdnsd"


def steering_files(plan: SteeringPlan, run_dir: str = RUN_DIR, state_dir: str = STATE_DIR) -> Files:
    """A folder for each name server, what the parent domain must hold, and an inventory for `ops/edge_dns.yml`.

    The folders of a name server's own state are the package's, but where several run on one machine.
    """
    for server in plan.name_servers:
        yield f"{server.name}/config", config(plan, server, f"{run_dir}", f"{state_dir}")
        for sovereignty in server.classes:
            yield f"{server.name}/zones/{plan.zone(sovereignty)}", zone(plan, sovereignty)
    yield "delegation.zone", "".join(f"{line}\n" for line in _delegation(plan))
    yield "inventory.json", json_text(inventory(plan))


def config(plan: SteeringPlan, server: NameServerPlan, run_dir: str = RUN_DIR, state_dir: str = STATE_DIR) -> str:
    """gdnsd's configuration on one name server."""
    pools = [pool for pool in plan.pools if pool.sovereignty in server.classes]
    return "".join(f"{line}\n" for line in _config(plan, server, pools, run_dir, state_dir))


def _config(
    plan: SteeringPlan, server: NameServerPlan, pools: list[PoolPlan], run_dir: str, state_dir: str
) -> Iterator[str]:
    health = plan.health
    yield "options => {"
    yield f"  listen => [ {server.address} ],"
    yield f"  run_dir => {run_dir},"
    yield f"  state_dir => {state_dir},"
    yield f"  zones_default_ttl => {plan.ttl_s},"
    yield "}"
    yield "service_types => {"
    yield "  edge => {"
    yield "    plugin => http_status,"
    yield f"    url_path => {health.path},"
    # Without a name gdnsd asks by HTTP/1.0, which Envoy refuses (426). This one is no service's.
    yield f"    vhost => {plan.domain},"
    yield f"    port => {health.port},"
    yield f"    interval => {health.interval_s},"
    yield f"    timeout => {health.timeout_s},"
    yield f"    down_thresh => {health.failures},"
    yield f"    ok_thresh => {health.recoveries},"
    yield f"    up_thresh => {health.recoveries},"
    yield "  },"
    yield "}"
    if not pools:
        return
    yield "plugins => { geoip => {"
    yield "  maps => {"
    for pool in pools:
        yield f"    {pool.name} => {{"
        yield f"      datacenters => [ {', '.join(pool.regions)} ],"
        yield "      nets => {"
        for network in plan.networks:
            yield f"        {network.network} => [ {', '.join(pool.order(network.site))} ],"
        yield "      },"
        yield "    },"
    yield "  },"
    yield "  resources => {"
    for pool in pools:
        yield f"    {pool.name} => {{"
        yield f"      map => {pool.name},"
        yield "      service_types => edge,"
        addresses = ", ".join(f"{region} => {plan.edge(region).address}" for region in pool.regions)
        yield f"      dcmap => {{ {addresses} }},"
        yield "    },"
    yield "  },"
    yield "} }"


def zone(plan: SteeringPlan, sovereignty: Sovereignty) -> str:
    """The zone of a class: its name servers, and a name for each service. The serial follows from the content."""
    servers = [server for server in plan.name_servers if sovereignty in server.classes]
    lines = [f"@ NS {server.name}" for server in servers]
    lines += [f"{server.name} A {server.address}" for server in servers]
    # Both bounds of the time to live are given: gdnsd would else halve it while an edge is down.
    ttl = f"{plan.ttl_s}/{plan.ttl_s}"
    lines += [
        f"{service.label} {ttl} DYNA geoip!{service.pool}"
        for service in plan.services
        if service.sovereignty is sovereignty
    ]
    body = "".join(f"{line}\n" for line in lines)
    serial = int(hashlib.sha256(body.encode()).hexdigest()[:8], 16) or 1
    first = servers[0].name if servers else "invalid"
    return f"@ SOA {first} hostmaster {serial} 3600 600 1209600 {plan.ttl_s}\n{body}"


def _delegation(plan: SteeringPlan) -> Iterator[str]:
    """What stands in the parent's zone: who answers for the zones of steered names."""
    yield f"$ORIGIN {plan.domain}."
    for sovereignty in Sovereignty:
        label = plan.zone(sovereignty).partition(".")[0]
        for server in plan.name_servers:
            if sovereignty in server.classes:
                yield f"{label} NS {server.name}.{label}"
                yield f"{server.name}.{label} A {server.address}"


def inventory(plan: SteeringPlan) -> dict[str, object]:
    """Ansible's inventory of the name servers, with the variables of the role edge_dns."""
    hosts = {
        server.name: {
            "ansible_host": server.address,
            "ansible_user": "root",
            "edge_dns_address": server.address,
            "edge_dns_config": config(plan, server),
            "edge_dns_zones": [
                {"name": plan.zone(sovereignty), "content": zone(plan, sovereignty)} for sovereignty in server.classes
            ],
        }
        for server in plan.name_servers
    }
    return {"all": {"children": {"edge_dns": {"hosts": hosts}}}}
