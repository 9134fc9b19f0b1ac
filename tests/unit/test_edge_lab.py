"""The bench of edges: distances, what netem is told, and what a killed run leaves behind."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from lab.edges import netem, spaces
from lab.edges.description import Distances, Point, as_data

DISTANCES = Distances(between={("paris", "singapore"): 170.0}, local_ms=2.0)
POINTS = (
    Point(name="c-paris", site="paris", addresses=("198.18.0.10",)),
    Point(name="e-singapore", site="singapore", addresses=("10.33.66.2", "10.33.66.3")),
)


def test_a_way_takes_half_the_round_trip_in_both_directions() -> None:
    document = as_data(POINTS, DISTANCES, {point.name: point.name for point in POINTS})
    assert document["one_way_ms"] == {
        "paris paris": 1.0,
        "paris singapore": 85.0,
        "singapore paris": 85.0,
        "singapore singapore": 1.0,
    }


def test_netem_delays_what_goes_to_each_address_by_its_site_and_nothing_twice() -> None:
    document = as_data(POINTS, DISTANCES, {point.name: point.name for point in POINTS})
    lines = list(netem.delays(document, "paris"))
    delayed = {
        line.split("parent ")[1].split()[0]: line.split("delay ")[1].split()[0] for line in lines if "netem" in line
    }
    flows = {line.split("dst ")[1].split()[0]: line.split("flowid ")[1] for line in lines if line.startswith("filter")}
    assert {address: delayed[flow] for address, flow in flows.items()} == {
        "198.18.0.10/32": "1ms",
        "10.33.66.2/32": "85ms",
        "10.33.66.3/32": "85ms",
    }
    assert len(flows) == sum(line.startswith("filter") for line in lines)


def test_namespaces_of_a_run_that_has_ended_are_found_and_those_of_a_living_one_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = subprocess.Popen(["true"])
    child.wait()
    for name in (f"edges{child.pid}-paris", spaces.name_of("paris"), "edges-of-somebody", "lab-spine1"):
        (tmp_path / name).touch()
    monkeypatch.setattr(spaces, "NETNS", tmp_path)
    assert spaces.leftovers() == [f"edges{child.pid}-paris"]
    assert spaces.name_of("paris") == f"edges{os.getpid()}-paris"
