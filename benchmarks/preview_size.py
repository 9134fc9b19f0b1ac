"""Size and time of a preview at full size: the pull request's comment, the JSON and the page.

    python -m benchmarks.preview_size [--region essonne] [--rounds 3]

Hardware is taken as received, with made-up serial numbers. Changes: all of it new, another image for all hosts,
one tray exchanged, other BFD timers, and none. Prints milliseconds from two compiled plans to the text (the best
of the rounds) and bytes; beside the comment, as the peer, what Pulumi's own words come to for the same change:
one line for each tray and action, as the provider's diff says them.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from benchmarks.layer_preview import received
from components.plan import RegionPlan, compile_region
from components.plan.consequences import Consequences, Planned, Snapshot, consequences, planned_actions, snapshot_of
from components.plan.model import HostPlan, Nic
from components.plan.page import render_page
from components.plan.pending import pending_index
from components.spec import load
from stacks.cli.preview_json import document
from stacks.cli.preview_markdown import LIMIT, markdown
from stacks.cli.preview_result import Preview
from stacks.project import CATALOGUE, region_folder
from stacks.snapshots import contents

TARGET_BYTES = LIMIT
T = TypeVar("T")


@dataclass(frozen=True)
class Row:
    """One change."""

    name: str
    actions: int
    snapshot_ms: float
    consequences_ms: float
    comment: int
    comment_ms: float
    json: int
    json_ms: float
    page: int
    page_ms: float
    peer: int


def delivered(plan: RegionPlan) -> RegionPlan:
    """Every tray with a serial number and MACs."""
    machines: dict[str, dict[str, dict[str, Any]]] = received(plan)

    def host(h: HostPlan) -> HostPlan:
        machine = machines[h.rack][str(h.slot)]
        nics = tuple(
            Nic(name=nic.name, mac=mac, is_oob=nic.is_oob) for nic, mac in zip(h.nics, machine["macs"], strict=True)
        )
        return replace(h, serial=str(machine["serial"]), nics=nics)

    return replace(plan, racks=tuple(replace(r, hosts=tuple(map(host, r.hosts))) for r in plan.racks))


def another_image(plan: RegionPlan) -> RegionPlan:
    return replace(plan, racks=tuple(replace(rack, image_sha256="f" * 64) for rack in plan.racks))


def another_tray(plan: RegionPlan) -> RegionPlan:
    first, *racks = plan.racks
    tray, *hosts = first.hosts
    return replace(plan, racks=(replace(first, hosts=(replace(tray, serial="ANOTHER"), *hosts)), *racks))


def other_timers(plan: RegionPlan) -> RegionPlan:
    return replace(plan, fabric=replace(plan.fabric, bfd_interval_ms=plan.fabric.bfd_interval_ms + 100))


CHANGES: Mapping[str, Callable[[RegionPlan], RegionPlan]] = {
    "all of it new": lambda plan: plan,
    "another image": another_image,
    "one tray exchanged": another_tray,
    "BFD timers": other_timers,
    "nothing": lambda plan: replace(plan),
}


def timed(rounds: int, act: Callable[[], T]) -> tuple[T, float]:
    """What it gives, and the milliseconds of the quickest round."""
    results: list[tuple[float, T]] = []
    for _ in range(rounds):
        began = time.perf_counter()
        result = act()
        results.append((time.perf_counter() - began, result))
    return results[-1][1], round(min(seconds for seconds, _ in results) * 1000, 1)


def measure(name: str, old: Snapshot | None, plan: RegionPlan, rounds: int) -> Row:
    of = contents()
    new, snapshot_ms = timed(1, lambda: snapshot_of(plan, of))
    found, consequences_ms = timed(rounds, lambda: consequences(old, new))
    planned = planned_actions(old.layers if old else None, new.layers)
    preview = shown(plan, found)
    comment, comment_ms = timed(rounds, lambda: markdown(preview))
    data, json_ms = timed(rounds, lambda: json.dumps(document(preview)))
    page, page_ms = timed(1, lambda: render_page(plan, found))
    return Row(
        name=name,
        actions=len(planned),
        snapshot_ms=snapshot_ms,
        consequences_ms=consequences_ms,
        comment=len(comment.encode()),
        comment_ms=comment_ms,
        json=len(data.encode()),
        json_ms=json_ms,
        page=len(page.encode()),
        page_ms=page_ms,
        peer=sum(len(line(p)) + 1 for p in planned),
    )


def line(planned: Planned) -> str:
    return f"{planned.resource}: {planned.action}"


def shown(plan: RegionPlan, found: Consequences) -> Preview:
    return Preview(
        region=plan.region,
        compared="the version before",
        consequences=found,
        plan=plan,
        phases=(),
        unready=(),
        description="",
    )


def main() -> None:
    """Print the table; ends with 1 if a comment is too long."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--region", default="essonne")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    spec = load(region_folder(options.region), CATALOGUE)
    plan = delivered(compile_region(spec, pending_index(spec)))
    old = snapshot_of(plan, contents())
    print(f"{options.region}: {len(plan.racks)} racks, {len(plan.hosts):,} trays, {len(plan.networks.cables):,} cables")
    print(
        f"{'change':20}{'actions':>9}{'inputs':>10}{'consequences':>14}{'comment':>18}{'json':>18}{'page':>20}"
        f"{'line by line':>14}"
    )
    rows = [
        measure(name, None if name == "all of it new" else old, edit(plan), options.rounds)
        for name, edit in CHANGES.items()
    ]
    for r in rows:
        print(
            f"{r.name:20}{r.actions:9,}{r.snapshot_ms:7,.0f} ms{r.consequences_ms:11,.0f} ms"
            f"{r.comment:9,} B{r.comment_ms:4.0f} ms{r.json:9,} B{r.json_ms:4.0f} ms{r.page:10,} B{r.page_ms:5,.0f} ms"
            f"{r.peer:12,} B"
        )
    longest = max(r.comment for r in rows)
    print(f"longest comment {longest:,} B, target below {TARGET_BYTES:,} B")
    raise SystemExit(longest >= TARGET_BYTES)


if __name__ == "__main__":
    main()
