"""Essonne at another number of racks, as a description that holds all rules."""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CLUSTER = 272
"""Rack ids of one Kubernetes cluster of 5,000 nodes."""

WIDER = {
    # Essonne's own pools and budgets end at 256 racks; what a larger one takes is the same work.
    "region.yaml": (
        ("{name: a, rows: 8,", "{name: a, rows: 16,"),
        ("{name: b, rows: 8,", "{name: b, rows: 16,"),
        ("site_kw: 40000", "site_kw: 120000"),
        ("kw: 13400", "kw: 40200"),
        ("gpus: 18000, megawatts: 40", "gpus: {gpus}, megawatts: 120"),
    ),
    "network.yaml": (
        ("racks: 10.64.0.0/16", "racks: 10.64.0.0/15"),
        ("compute_switches: 10.96.16.0/20", "compute_switches: 10.96.32.0/19"),
        ("host_loopbacks: 10.0.32.0/19", "host_loopbacks: 10.1.0.0/18"),
        ("host_links: 10.0.64.0/18", "host_links: 10.2.0.0/17"),
        ("oob: 4200020000-4200020999", "oob: 4200020000-4200023999"),
        ("aggregation: 12", "aggregation: 24"),
        ("borders_per_plane: 2", "borders_per_plane: 1"),
        ("border_ids: 97-104", "border_ids: 97-100"),
    ),
    "racks.yaml": (("ids: 1-250", "ids: '{workers}'"), ("ids: 251-253", "ids: '{controllers}'")),
    "tenants/chat.yaml": (("gpus: 8000", "gpus: {quarter}"), ("max: 256", "max: 100")),
    "tenants/research.yaml": (("gpus: 4000", "gpus: {quarter}"),),
}
"""File of the region -> what is written otherwise at another size."""


def scaled(folder: Path, racks: int) -> Path:
    """A copy of Essonne with this many racks, of which a few in each cluster are its control plane."""
    control = [id for id in (1, 2, 3, CLUSTER + 1, CLUSTER + 2, CLUSTER + 3) if id <= racks]
    workers = [f"4-{min(racks, CLUSTER)}"] + ([f"{CLUSTER + 4}-{racks}"] if racks > CLUSTER + 3 else [])
    gpus = (racks - len(control)) * 72
    values = {
        "workers": ",".join(workers),
        "controllers": ",".join(str(id) for id in control),
        "gpus": gpus,
        "quarter": gpus // 4,
    }
    region = folder / "essonne"
    shutil.copytree(ROOT / "stacks/regions/essonne", region)
    for name, edits in WIDER.items():
        text = (region / name).read_text()
        for old, new in edits:
            if old not in text:
                raise SystemExit(f"{name} does not hold {old!r} any more: renew this benchmark")
            for key, value in values.items():
                new = new.replace(f"{{{key}}}", str(value))
            text = text.replace(old, new)
        (region / name).write_text(text)
    return region
