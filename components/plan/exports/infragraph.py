"""The region as an InfraGraph infrastructure: what each kind of device is made of, and how instances are linked.

Every instance keeps the name it has in the plan, so each is a device of its own with a count of one. Cables of
the fabrics between GPUs and of the in-band network are edges; those of the out-of-band network are left out,
as InfraGraph describes what data moves over. NVLink is one switch for each domain.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from components.plan.model import RegionPlan
from components.plan.naming import EDGE
from components.plan.networks.model import Network
from components.plan.ordering import natural

Json = dict[str, Any]
PORT, GPU, ASIC = "port", "xpu", "asic"


def infrastructure(plan: RegionPlan) -> Iterator[tuple[str, str]]:
    """`<region>.json`."""
    cables = [c for c in plan.networks.cables if c.network is not Network.OOB and EDGE not in (c.a_device, c.b_device)]
    ports: dict[str, set[str]] = {}
    for cable in cables:
        ports.setdefault(cable.a_device, set()).add(cable.a_port)
        ports.setdefault(cable.b_device, set()).add(cable.b_port)
    numbers = {
        device: {port: number for number, port in enumerate(sorted(names, key=natural))}
        for device, names in ports.items()
    }
    kinds = dict(_kinds(plan))
    devices, instances = _devices(plan, kinds, numbers)
    edges = [
        _edge(
            (cable.a_device, f"{PORT}[{numbers[cable.a_device][cable.a_port]}]"),
            (cable.b_device, f"{PORT}[{numbers[cable.b_device][cable.b_port]}]"),
            str(cable.network),
        )
        for cable in cables
    ]
    edges += _nvlink_edges(plan)
    document = {
        "name": plan.region,
        "description": f"{plan.region}: {len(plan.racks)} racks",
        "devices": devices,
        "links": list(_links(plan)),
        "instances": instances,
        "edges": edges,
    }
    yield f"{plan.region}.json", json.dumps(document) + "\n"


def _kinds(plan: RegionPlan) -> Iterator[tuple[str, tuple[str, int]]]:
    """Device -> its kind, and its GPUs."""
    for rack in plan.racks:
        for host in rack.hosts:
            yield host.name, (f"{rack.profile}-tray", host.gpus)
    for switch in plan.fabric.switches:
        yield switch.name, (switch.model, 0)
    for switch in plan.networks.compute.switches if plan.networks.compute else ():
        yield switch.name, (plan.networks.compute.model if plan.networks.compute else "", 0)


def _devices(
    plan: RegionPlan, kinds: Mapping[str, tuple[str, int]], numbers: Mapping[str, Mapping[str, int]]
) -> tuple[list[Json], list[Json]]:
    """A kind has as many ports as the instance of it that uses most."""
    most: dict[str, int] = {}
    gpus: dict[str, int] = {}
    for name, (kind, count) in kinds.items():
        most[kind] = max(most.get(kind, 0), len(numbers.get(name, ())))
        gpus[kind] = count
    devices = [_device(kind, most[kind], gpus[kind]) for kind in sorted(most)]
    instances = [{"name": name, "device": kind, "count": 1} for name, (kind, _) in kinds.items()]
    devices += [
        {"name": f"nvlink-{asics}", "components": [_component(ASIC, asics, "switch")], "links": [], "edges": []}
        for asics in sorted({domain.asics for domain in plan.networks.nvlink})
    ]
    instances += [{"name": d.name, "device": f"nvlink-{d.asics}", "count": 1} for d in plan.networks.nvlink]
    return devices, instances


def _device(kind: str, ports: int, gpus: int) -> Json:
    """A host's network cards are its ports; a switch has a chip that joins them."""
    inside = (
        _component(GPU, gpus, GPU) if gpus else _component("chip", 1, "cpu" if kind.endswith("-tray") else "switch")
    )
    device: Json = {"name": kind, "components": [inside], "links": [], "edges": []}
    if ports:
        nic = "nic" if kind.endswith("-tray") else "port"
        device["components"].append(_component(PORT, ports, nic))
        device["links"] = [{"name": "inside"}]
        device["edges"] = [
            {
                "ep1": {"component": inside["name"]},
                "ep2": {"component": PORT},
                "scheme": "many2many",
                "link": "inside",
            }
        ]
    return device


def _component(name: str, count: int, choice: str) -> Json:
    return {"name": name, "count": count, "choice": choice}


def _links(plan: RegionPlan) -> Iterator[Json]:
    compute = plan.networks.compute
    yield {"name": str(Network.INBAND)}
    if compute:
        yield {
            "name": str(Network.COMPUTE),
            "physical": {
                "bandwidth": {"choice": "gigabits_per_second", "gigabits_per_second": float(compute.speed_gbps)}
            },
        }
    if plan.networks.nvlink:
        yield {"name": "nvlink"}


def _nvlink_edges(plan: RegionPlan) -> Iterator[Json]:
    domains = {domain.rack: domain for domain in plan.networks.nvlink}
    for rack in plan.racks:
        if domain := domains.get(rack.name):
            for host in rack.hosts:
                yield _edge((host.name, GPU), (domain.name, ASIC), "nvlink", "many2many")


def _edge(a: tuple[str, str], b: tuple[str, str], link: str, scheme: str = "one2one") -> Json:
    return {
        "ep1": {"instance": f"{a[0]}[0]", "component": a[1]},
        "ep2": {"instance": f"{b[0]}[0]", "component": b[1]},
        "scheme": scheme,
        "link": link,
    }
