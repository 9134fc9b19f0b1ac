"""Networks that are refused: one row for each rule at least, with the arithmetic that the operator gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.spec.rules import networks
from tests.regions import Edit
from tests.rejected import Row, assert_refused, row

_NET = "network.yaml"
_GB300 = (
    "  - {series: ess-s, ids: 17-24, profile: gb300-nvl72, image: gpu, protect: true, role: gpu_worker, spares: 2}\n"
)

# One row, one or two lines: a table, which the formatter would stretch to a scroll.
# fmt: off
ROWS = (
    row("network-switch-unknown", _NET, "  switch: sn5600", "  switch: sn56000", line="sn56000", says="fabric.switch|did you mean sn5600?"),
    row("network-switch-unknown", _NET, "qm9700", "qm970", line="qm970", says="compute.switch|did you mean qm9700?"),
    row("network-switch-kind", _NET, "oob: {switch: sn2201", "oob: {switch: qm9700", line="oob: {switch",
        says="oob.switch|qm9700, which is infiniband|sn2201"),
    row("switch-os-unsupported", _NET, "switch_os: cumulus", "switch_os: frr", line="switch_os", says="found: frr|allowed: cumulus, sonic"),
    row("compute-without-racks", _NET, "oob: {switch: sn2201", "compute: {switch: qm9700, tiers: 3}\noob: {switch: sn2201",
        source="paris", line="compute:", says="no rack of the region|gb200-nvl72"),
    row("compute-racks-differ", "racks.yaml", "racks:\n", f"racks:\n{_GB300}",
        Edit("racks.yaml", "ids: 1-250,", 'ids: "1-16,25-250",'),
        Edit("_catalogue/racks/gb300-nvl72.yaml", "    - {name: right-cx8-2, role: compute, rail: 3, speed_gbps: 800}\n", ""),
        line="ess-s", says="18 trays x 3 rails|18 trays x 4 rails", also="compute-port-speed"),
    row("compute-unit-shape", _NET, "switch: qm9700", "switch: qm9700 ", Edit("_catalogue/switches/qm9700.yaml", "ports: 64", "ports: 32"),
        Edit(_NET, "island_units: 16", "island_units: 8"),
        line="qm9700", says="18 trays needs 18 ports down and as many up: 36 of 32"),
    row("compute-unit-shape", _NET, "{racks: 8, island", "{racks: 40, island",
        line="scalable_unit", says="40 links down are more than 32 of 64 ports", also="leaf-ports-short switch-port-missing leaf-blocking cluster-headless"),
    row("compute-island-units", _NET, "island_units: 16", "island_units: 17", line="scalable_unit",
        says="17 units x 4 rails = 68 spines|a core has 64 ports|at most 16 units"),
    row("compute-island-units", _NET, "island_units: 12", "island_units: 19", line="scalable_unit", source="essonne-as-built",
        says="19 units x 8 leaves = 152|a spine has 144 ports|at most 18 units"),
    row("compute-port-speed", _NET, "qm9700, tiers: 3", "q3400, tiers: 3", line="compute:", says="400 Gbit/s at trays|allowed: 800 Gbit/s",
        also="power-site power-feed-lost power-row"),
    row("compute-mtu", _NET, "tiers: 3}", "tiers: 3, mtu: 4000}", line="compute:", says="found: 4000|256, 512, 1024, 2048, 4096"),
    row("mtu-path", _NET, "mtu: 9000", "mtu: 4100", line="mtu: 4100", says="fall back to 2048 bytes|at least 4156: 4096 (compute.mtu) + 60"),
    row("clos-spine-ids", _NET, "spine_ids: 1-96", "spine_ids: 1-95", line="spine_ids", says="found: 95 ids|4 planes x 24 spines in each = 96 ids"),
    row("clos-border-ids", _NET, "border_ids: 97-104", "border_ids: 97-103", line="border_ids", says="found: 7 ids|4 planes x 2 borders in each = 8 ids"),
    row("clos-border-ids", _NET, "    border_ids: 97-104\n", "", line="clos:", says="found: 0 ids"),
    row("leaf-ports-short", _NET, "host_lanes: 4", "host_lanes: 2", line="clos:", also="switch-port-missing",
        says="leaf1 has fewer ports|72 for hosts + 24 for spines + 0 for the edge = 96|at most 64 ports"),
    row("spine-ports-short", _NET, "{racks: 8, island", "{racks: 3, island", line="clos:", also="port-used-twice switch-port-missing power-site",
        says="85 leaves of units + 2 with an edge = 87|at most 64 ports"),
    row("switch-port-missing", _NET, "border_port: swp1", "border_port: swp65", line="clos:", says="found: swp65|swp1 to swp64"),
    row("breakout-missing", "racks.yaml", "ids: 1-250,", "ids: 1-250, ", Edit(_NET, "host_lanes: 4", "host_lanes: 5"),
        line="ess-r", says="ess-r001|found: 5 lanes|2 lanes of 400 Gbit/s, 4 lanes of 200 Gbit/s, 8 lanes of 100 Gbit/s"),
    row("leaf-blocking", _NET, "spines_per_plane: 24", "spines_per_plane: 16", Edit(_NET, "spine_ids: 1-96", "spine_ids: 1-64"),
        line="clos:", says="hosts 28800 Gbit/s to uplinks 12800 Gbit/s = 2.25:1|5:3: 22 spines"),
    row("host-links-missing", _NET, "  host_links: 10.0.64.0/18\n", "", line="pools:", says="gb200-nvl72 have no out-of-band port|add pools.host_links"),
    row("oob-rack-block-small", _NET, "rack_prefix: 24", "rack_prefix: 25", line="oob: {network",
        says="/25: 128 addresses, 126 of them for devices|at most /24: 18 x 5 + 9 x 3 + 8 + 2 = 127"),
    row("oob-aggregation-short", _NET, "aggregation: 12", "aggregation: 10", line="aggregation: 10", says="at least 12|a pair serves 48 rack ids"),
    row("oob-rack-ports-short", "racks.yaml", "ess-c, ids", "ess-c, ids", Edit("_catalogue/racks/control-server.yaml", "pdu-63a-400v, count: 2", "pdu-63a-400v, count: 16"),
        line="ess-c", says="48 cables|at most 47: 1 x 47 ports of sn2201, less the uplink"),
    row("oob-layout-full", "racks.yaml", "ess-c, ids", "ess-c, ids", Edit("_catalogue/racks/control-server.yaml", "pdu-63a-400v, count: 2", "pdu-63a-400v, count: 65"),
        line="ess-c", says="so many PDUs|found: 65|at most 64", also="oob-switch-ports"),
    row("asn-oob-missing", _NET, ", oob: 4200020000-4200020999", "", line="asns:", says="no asns.oob"),
    row("asn-oob-range-small", _NET, "4200020999", "4200020099", line="asns:",
        says="515 out-of-band switches|100 numbers|64 kept for aggregation + 2 x 253 for rack ids"),
    row("asn-overlap", _NET, "oob: 4200020000", "oob: 4200019000", line="asns:", says="asns.host"),
    row("oob-pool-small", _NET, "racks: 10.64.0.0/16", "racks: 10.64.0.0/18", line="oob: {network", also="oob-rack-block-missing",
        says="31762 out-of-band addresses|/16: 253 rack ids x /24|17753 BMCs alone would take a /17"),
    row("oob-switch-id-taken", _NET, "first_id: 2001", "first_id: 100", line="first_id", says="found: 100 to 251|up to 4095"),
    row("oob-switch-id-taken", _NET, "first_id: 2001", "first_id: 4090", line="first_id", says="no address for out-of-band switch id 4241"),
    row("oob-compute-missing", _NET, "compute_switches: 10.96.16.0/20, ", "", line="compute:", says="`compute` without `pools.oob.compute_switches`"),
    row("oob-compute-pool-small", _NET, "compute_switches: 10.96.16.0/20", "compute_switches: 10.96.16.0/22", line="oob: {network",
        says="no address for compute switch 2080|/20 or wider: 16 x 56 + 144 switches in each of 2 islands"),
)
# fmt: on


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.rule)
def test_a_wrong_network_is_refused_with_its_arithmetic(row: Row, tmp_path: Path) -> None:
    assert_refused(row, tmp_path)


def test_every_rule_on_networks_has_a_row() -> None:
    assert {rule.id for rule in networks.RULES} - {row.rule for row in ROWS} == set()


def test_a_key_that_has_its_default_is_judged_beside_other_problems(tmp_path: Path) -> None:
    """What is not written is known all the same, so its rules speak although another key is wrong."""
    unit = Edit(_NET, "scalable_unit: {racks: 8, island_units: 16}\n", "")
    wrong = Edit("cluster.yaml", "join_pace: 20", "join_pace: many")
    both = row(
        "compute-port-speed",
        _NET,
        "qm9700, tiers: 3",
        "q3400, tiers: 3",
        wrong,
        unit,
        line="compute:",
        says="",
        also="value-type power-site power-feed-lost power-row",
    )
    assert_refused(both, tmp_path)
