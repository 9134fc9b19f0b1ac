"""Machines that NVIDIA Infra Controller (NICo) is to expect, as requests of its REST API.

For `nicocli expected-machine batch-create`, which takes at most a hundred at once. What is secret or the
site's own is not in them: `siteId` and the factory credentials of the BMCs are added by whoever sends them,
as NICo's guide does with jq. Only received trays can be expected: they are known by serial number and MAC.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from components.plan.model import HostPlan, RackPlan, RegionPlan
from components.plan.renders.labels import gpu_model, island_name, unit_name
from components.plan.renders.text import json_text

BATCH = 100


def expected_machines(plan: RegionPlan) -> Iterator[tuple[str, str]]:
    """`expected-machines-<n>.json`."""
    machines = list(_machines(plan))
    for first in range(0, len(machines), BATCH):
        yield f"expected-machines-{first // BATCH + 1:03d}.json", json_text(machines[first : first + BATCH])


def _machines(plan: RegionPlan) -> Iterator[dict[str, Any]]:
    places = {place.rack: place for place in plan.topology.racks}
    for rack in plan.racks:
        place = places[rack.name]
        labels = {
            "region": plan.region,
            "hall": place.hall,
            "island": island_name(plan, place.island),
            "unit": unit_name(plan, place.unit),
        }
        slots = shelf_slots(rack, plan)
        for host in rack.hosts:
            if host.is_received and host.bmc_mac:
                yield _machine(host, rack, slots, {**labels, "gpu-model": gpu_model(host) or "none"})


def shelf_slots(rack: RackPlan, plan: RegionPlan) -> dict[int, int]:
    """Tray's slot -> its number among compute and switch trays from the floor up, as the firmware counts them:
    in an NVL72 rack the twelfth compute tray is in slot 21."""
    standing = plan.site.profile(rack.profile).standing
    trays = [thing for thing in standing if thing.what in ("compute", "nvlink")]
    return {thing.number: n for n, thing in enumerate(trays, start=1) if thing.what == "compute"}


def _machine(host: HostPlan, rack: RackPlan, slots: dict[int, int], labels: dict[str, str]) -> dict[str, Any]:
    return {
        "bmcMacAddress": host.bmc_mac,
        "chassisSerialNumber": host.serial,
        "bmcIpAddress": host.bmc_address,
        "name": host.name,
        "model": rack.profile,
        "rackId": rack.name,
        "slotId": slots[host.slot],
        "trayIdx": host.slot - 1,
        "labels": labels,
    }
