"""Descriptions outside the regions: an example that is refused with its sum, and a region made of text alone."""

from __future__ import annotations

import shutil
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from components.errors import SpecError
from components.plan import compile_region
from components.plan.pending import pending_index
from components.spec import load
from lab.fleet import scenario
from tests.regions import REGIONS, ROOT

LITERAL = ROOT / "docs" / "examples" / "essonne-literal"
CATALOGUE = REGIONS / "_catalogue"
FLEET = ROOT / "docs" / "examples" / "simulated-fleet.yaml"
NAMES = sorted(path.name for path in REGIONS.iterdir() if path.is_dir() and not path.name.startswith("_"))

LYON = """
region: lyon
site:
  name: lyon
  country: FR
  domain: lyon.internal
  position: {latitude: 45.76, longitude: 4.84}
  halls: [{name: a, rows: 2, racks_per_row: 8}]
power:
  site_kw: 2000
  pue: 1.2
  price_eur_mwh: 80
  planning: nameplate
  feeds: [{name: feed-a, kw: 1600}, {name: feed-b, kw: 1600}]
  spare_feeds: 1
  row_kw: 1200
  pdu_kw: 150
  step_kw: 1200
  claims: {gpus: 576, megawatts: 2}
credentials:
  bmc: env:LYON_BMC
  ironic: env:LYON_IRONIC
  s3: env:LYON_S3
  weights_reader: env:LYON_WEIGHTS_READER
  ssh_key: file:.region/lyon/secrets/ssh_key
  switch_known_hosts: file:.region/lyon/secrets/switch_known_hosts
pki: {ca_certificate: file:.region/lyon/pki/region-ca.crt, ca_key: file:.region/lyon/pki/region-ca.key}
artifacts: file:.region/lyon/artifacts.json
services:
  address: 10.41.250.10
  ironic: https://10.41.250.10:6385
  images: https://10.41.250.10:8080
  registry: registry.lyon.internal:5000
  apt: {url: "https://10.41.250.10:8081", suite: noble, key: "file:.region/lyon/pki/apt.asc"}
  s3: https://10.41.250.10:7070
  ntp: [10.41.250.11]
  dns: [10.41.250.11]
pools:
  oob: {network: 10.41.0.0/16, gateway: 10.41.255.254, switches: 10.41.240.0/22, compute_switches: 10.41.244.0/22, racks: 10.41.0.0/19, rack_prefix: 24}
  switch_loopbacks: 10.42.0.0/22
  host_loopbacks: 10.42.8.0/21
  service_vips: 10.42.16.0/24
  edge_links: 10.42.17.0/26
  host_links: 10.42.32.0/20
  pods: 10.44.0.0/15
  services: 172.25.0.0/16
  slots_per_rack: 18
asns: {spine: 4200300000, leaf: 4200300100-4200300999, host: 4200301000-4200301999, oob: 4200302000-4200302999}
scalable_unit: {racks: 8, island_units: 2}
compute: {switch: q3400, tiers: 2}
oob: {switch: sn2201, aggregation: 2, first_id: 901}
fabric:
  switch: sn5600
  switch_os: sonic
  mtu: 9000
  bfd: {interval_ms: 300, multiplier: 3}
  clos: {planes: 2, spines_per_plane: 24, host_lanes: 4, border_port: swp1, spine_ids: 1-48, border_ids: 49-50, first_leaf_id: 65}
racks:
  - {series: lyo-r, ids: 1-8, profile: gb300-nvl72, image: gpu, protect: true, role: gpu_worker, spares: 2}
  - {series: lyo-c, ids: 9, profile: control-server, slots: 1-3, image: control, protect: true, role: control_plane}
images:
  gpu: {name: dgx-os-740-arm64, format: raw, os: dgx-os-740, arch: aarch64}
  control: {name: ubuntu-2404-amd64, format: raw, os: ubuntu-2404, arch: x86_64}
cluster:
  name: lyon
  kubernetes: 1.36.3
  containerd: 2.4.2
  join_pace: 10
  api_vip_id: 1
drivers: {nvidia: 580.126.20, doca: 3.2.1}
runtime: {gateway: {name: front, vip_id: 2}}
"""


def test_a_new_region_takes_text_alone(tmp_path: Path) -> None:
    folder = tmp_path / "stacks" / "regions" / "lyon"
    folder.mkdir(parents=True)
    shutil.copytree(CATALOGUE, tmp_path / "stacks/regions/_catalogue")
    (folder / "region.yaml").write_text(LYON)
    region = load(folder, folder.parent / "_catalogue")
    plan = compile_region(region, pending_index(region))
    assert len(plan.hosts) == 8 * 18 + 3
    assert plan.power.gpus == 576
    assert plan.topology.units == (1, 2)
    assert len(plan.power.steps) == 2
    assert {host.rack for host in plan.deployed_hosts} == {*(f"lyo-r{n:03d}" for n in range(1, 9)), "lyo-c009"}


def test_18_000_superchips_in_40_mw_are_refused_with_the_sum() -> None:
    with pytest.raises(SpecError) as refused:
        load(LITERAL, CATALOGUE, project=ROOT)
    problems = {problem.rule: problem for problem in refused.value.problems}
    assert set(problems) == {"claim-power", "power-site", "power-feed", "power-feed-lost"}
    assert problems["claim-power"].found == (
        "18,000 superchips x 2 = 36,000 GPUs, 72 in a rack of gb200-nvl72 = 500 racks x 120-150 kW = 60 MW to 75 MW"
        " of IT power before any cooling; 40 MW leave 1.11 kW for each GPU, below the 1.2 kW that one GPU may draw alone"
    )
    assert "+ 4,104 x 1.72 kW qm9700 + 167 x 0.15 kW sn2201 = 73,849.7 kW) x PUE 1.2 = 88,619.6 kW" in str(
        problems["power-site"]
    )


def test_an_example_is_no_region() -> None:
    assert LITERAL.name not in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_region_is_a_few_short_files(name: str) -> None:
    files = list((REGIONS / name).glob("*.yaml"))
    assert len(files) <= 4
    tenants = list((REGIONS / name).glob("tenants/*.yaml"))
    assert sum(len(path.read_text().splitlines()) for path in (*files, *tenants)) <= 150


def test_regions_that_stand_beside_each_other_share_no_address() -> None:
    """All but two: the lab lives on a bench, and Essonne is described twice."""
    pools: dict[str, list[IPv4Network]] = {}
    for name in NAMES:
        if name in ("lab", "essonne-as-built"):
            continue
        region = load(REGIONS / name, CATALOGUE, project=ROOT).pools
        named = (region.switch_loopbacks, region.host_loopbacks, region.service_vips, region.edge_links, region.pods)
        pools[name] = [region.oob.network, *named, *([region.host_links] if region.host_links else [])]
    for one, networks in pools.items():
        for other in (name for name in pools if name > one):
            shared = [(a, b) for a in networks for b in pools[other] if a.overlaps(b)]
            assert shared == [], (one, other)


def test_the_example_of_a_simulated_fleet_is_in_good_order() -> None:
    found = scenario.load(FLEET)
    assert not found.faults
    assert found.time.compression == 120
