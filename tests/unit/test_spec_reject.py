"""What is refused: one row for each rule, with the place and the words that the operator gets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from components.errors import Problem, SpecError
from components.spec.rules import RULES, catalogue, networks
from tests.faults import faults
from tests.regions import Edit, edited_lab, file_of, load_lab


@dataclass(frozen=True)
class Row:
    """One wrong description. The first edit's file is where the problem must be found."""

    rule: str
    edits: tuple[Edit, ...]
    line: str
    """Text of the line that the problem must point at, after the edits; unique in its file."""
    says: tuple[str, ...]
    """What the operator must read."""
    silent: str = ""
    """What must not be repeated anywhere, as it may be a secret."""
    region: str = "lab"
    """Name of the folder."""


def row(
    rule: str, file: str, old: str, new: str, *more: Edit, line: str, says: str, silent: str = "", region: str = "lab"
) -> Row:
    """A row; `says` is split at `|`."""
    return Row(rule, (Edit(file, old, new), *more), line, tuple(says.split("|")), silent, region)


_T2 = 'macs: ["02:1a:b0:01:02:00"'
_SPARE = (
    "      - {slot: 4, role: spare, serial: LABR01T04,"
    ' macs: ["02:1a:b0:01:04:00", "02:1a:b0:01:04:01", "02:1a:b0:01:04:02"]}\n'
)
_SECOND_SERVICE = """
  - name: {name}
    image: hello-gpu
    scaling: {{max: 2}}
"""
_SECOND_RACK = """
  - name: {name}
    id: {id}
    profile: nspawn-rack
    leaves: [lab-leaf1, lab-leaf2]
    first_leaf_port: swp11
    image: base
    protect: false
    trays:
      - {{slot: 1, role: spare, serial: LABR02T01, macs: ["02:1a:b0:02:01:00", "02:1a:b0:02:01:01", "02:1a:b0:02:01:02"]}}
"""
_GUEST_FILE = """profile: {profile}
simulated: true
slots: 4
tray:
  arch: x86_64
  boot_mode: uefi
  bmc_scheme: https
  disk_gib: 10
  memory_mib: 4096
  gpus: 4
  gpu_model: simulated
  nics: [eth0, eth1, eth2]
  cgroup_version: 2
  limited_oom_score: true
"""
_LONG = "a" * 56

# One row, one or two lines: a table, which the formatter would stretch to a scroll.
# fmt: off
YAML_ROWS = (
    row("yaml-syntax", "cluster.yaml", "drivers: {", "drivers: [{", line="runtime:", says="not YAML"),
    row("yaml-not-mapping", "extra.yaml", "", '- one\n', line="- one", says="not a mapping"),
    row("yaml-key-duplicate", "cluster.yaml", "  join_pace: 2", '  name: x\n  join_pace: 2',
        line="name: x", says="cluster.name|same key stands twice|lines 4 and 7"),
    row("yaml-key", "cluster.yaml", "  join_pace: 2", '  [a]: 1\n  join_pace: 2',
        line="[a]: 1", says="not a plain word"),
    row("yaml-tag", "cluster.yaml", "join_pace: 2", "join_pace: !pace 2", line="!pace", says="cluster.join_pace|unless in quotes"),
    row("yaml-tag", "region.yaml", "bmc: file:.lab/secrets/bmc.json", "bmc: !hunter2",
        line="bmc:", says="credentials.bmc", silent="hunter2"),
    row("yaml-syntax", "region.yaml", "bmc: file:.lab/secrets/bmc.json", "bmc: *hunter2",
        line="bmc:", says="undefined alias|needs quotes", silent="hunter2"),
    row("key-in-two-files", "network.yaml", "asns:", 'drivers: {nvidia: 580.126.20}\nasns:',
        line="drivers:", says="stands in two files|cluster.yaml:8 and stacks/regions/lab/network.yaml"),
    row("region-folder-name", "region.yaml", "region: lab", "region: lab2",
        line="region: lab2", says="found: lab2|allowed: lab"),
    row("catalogue-file-name", "_catalogue/racks/nspawn-rack.yaml", "profile: nspawn-rack", "profile: other",
        Edit("racks.yaml", "profile: nspawn-rack", "profile: other"),
        line="profile: other", says="allowed: nspawn-rack"),
    row("catalogue-in-region", "racks.yaml", "racks:", 'catalogue: {}\nracks:',
        line="catalogue: {}", says="not in a region"),
    row("steering-in-region", "racks.yaml", "racks:", 'steering: {}\nracks:',
        line="steering: {}", says="one file for all of them|_steering.yaml"),
)

VALUE_ROWS = (
    row("key-unknown", "racks.yaml", "    protect:", '    protct: true\n    protect:',
        line="protct:", says="racks[0].protct|nothing has this key|did you mean `protect`?"),
    row("key-missing", "cluster.yaml", '  containerd: 2.4.2\n', "",
        line="cluster:", says="cluster.containerd|add `containerd`"),
    row("value-type", "cluster.yaml", "join_pace: 2", "join_pace: two",
        line="join_pace", says="found: two|allowed: a whole number"),
    row("value-type", "cluster.yaml", "containerd: 2.4.2", "containerd: 2.4",
        line="containerd", says="found: 2.4|put it in quotes"),
    row("value-choice", "network.yaml", "switch_os: frr", "switch_os: ios",
        line="switch_os", says="found: ios|allowed: 'frr', 'cumulus' or 'sonic'"),
    row("value-choice", "racks.yaml", "slot: 4, role: spare", "slot: 4, role: worker",
        line="worker", says="racks[0].trays[3].role|'control_plane', 'gpu_worker' or 'spare'"),
    row("value-range", "network.yaml", "multiplier: 3", "multiplier: 1",
        line="multiplier", says="found: 1|allowed: at least 2"),
    row("value-range", "network.yaml", "switch_os: frr", 'switch_os: frr\n  mtu: 1000',
        line="mtu: 1000", says="at least 1280"),
    row("value-range", "network.yaml", "switch_os: frr", 'switch_os: frr\n  mtu: 64000',
        line="mtu: 64000", says="at most 9216"),
    row("value-form", "cluster.yaml", "kubernetes: 1.36.3", "kubernetes: v1.36.3",
        line="v1.36.3", says="found: v1.36.3"),
    row("network-form", "network.yaml", "10.255.1.0/24", "10.255.1.7/24",
        line="host_loopbacks", says="host bits zero|write 10.255.1.0/24"),
    row("address-form", "region.yaml", "ntp: [172.30.0.1]", "ntp: [172.30.0]",
        line="ntp:", says="services.ntp[0]|found: 172.30.0"),
    row("name-too-long", "cluster.yaml", "  name: lab", "  name: " + "b" * 64,
        line="bbb", says="64 characters|at most 63"),
    row("name-form", "cluster.yaml", "  name: lab", "  name: Lab_1", line="Lab_1", says="not a DNS label"),
    row("domain-form", "region.yaml", "domain: lab.internal", "domain: lab..internal",
        line="lab..internal", says="DNS domain"),
    row("mac-form", "racks.yaml", _T2, 'macs: ["02:1a:b0:01:02"',
        line="slot: 2", says="not a MAC address|found: 02:1a:b0:01:02"),
    row("mac-not-unicast", "racks.yaml", _T2, 'macs: ["03:1a:b0:01:02:00"',
        line="slot: 2", says="racks[0].trays[1].macs[0]|group address|first byte is even"),
    row("interface-name-too-long", "network.yaml", "{id: 1, port: swp48}", "{id: 1, port: ethernetswitchport48}",
        line="lab-leaf1", says="20 characters|at most 15"),
    row("interface-name-form", "network.yaml", "{id: 1, port: swp48}", "{id: 1, port: swp}",
        line="lab-leaf1", says="found: swp"),
    row("secret-plain", "region.yaml", "bmc: file:.lab/secrets/bmc.json", "bmc: hunter2",
        line="hunter2", says="credentials.bmc|never a value|mode 0600", silent="hunter2"),
    row("secret-reference-form", "region.yaml", "file:.lab/secrets/ironic.json", "file:/etc/ironic.json",
        line="/etc/ironic", says="credentials.ironic|relative to the project"),
    row("secret-reference-form", "region.yaml", "file:.lab/secrets/s3.json", "file:../s3.json",
        line="../s3", says="inside it"),
    row("url-form", "region.yaml", "https://172.30.0.1:6385", "172.30.0.1:6385", line="ironic: 172", says="base URL"),
    row("url-with-credentials", "region.yaml", "https://172.30.0.1:6385", "https://admin:hunter2@172.30.0.1:6385",
        line="hunter2", says="may not hold credentials", silent="hunter2"),
    row("registry-form", "region.yaml", "registry: registry.lab.internal:5000", "registry: https://registry.lab.internal",
        line="https://registry", says="HOST:PORT without a scheme"),
    row("asn-range", "network.yaml", "spine: 65000", "spine: 3215", line="asns:", says="private AS|found: 3215"),
)

RULE_ROWS = (
    row("mac-duplicate", "racks.yaml", _T2, 'macs: ["02:1a:b0:01:01:00"',
        line="slot: 2", says="racks[0].trays[1].macs[0]|already that of racks[0].trays[0].macs[0]|found: 02:1a:b0:01:01:00"),
    row("mac-duplicate", "racks.yaml", _T2, 'macs: ["02:1A:B0:01:01:00"', line="slot: 2", says="already that of"),
    row("serial-duplicate", "racks.yaml", "LABR01T02", "LABR01T01",
        line="slot: 2", says="found: LABR01T01|labels of both trays"),
    row("slot-duplicate", "racks.yaml", "slot: 4", "slot: 3",
        line="LABR01T04", says="already that of racks[0].trays[2].slot"),
    row("rack-name-duplicate", "racks.yaml", "", _SECOND_RACK.format(name="lab-r01 # second", id=2).replace("slot: 1", "slot: 3"),
        Edit("racks.yaml", "slot: 3, role: gpu_worker", "slot: 2, role: gpu_worker"),
        Edit("racks.yaml", "slot: 2, role: gpu_worker, serial: LABR01T02", "slot: 4, role: gpu_worker, serial: LABR01T02"),
        Edit("racks.yaml", "slot: 4, role: spare", "slot: 3, role: spare"),
        line="# second", says="already that of racks[0].name"),
    row("rack-id-duplicate", "racks.yaml", "", _SECOND_RACK.format(name="lab-r02", id="1 # again"),
        line="# again", says="already that of racks[0].id|never used"),
    row("switch-id-duplicate", "network.yaml", "lab-leaf2, id: 4", "lab-leaf2, id: 1",
        line="lab-leaf2", says="already that of fabric.spines[0].id"),
    row("edge-id-duplicate", "network.yaml", "{id: 2, port: swp48}", "{id: 1, port: swp48}",
        line="lab-leaf2", says="edge id"),
    row("tenant-file-name", "tenants/demo.yaml", "tenant: demo", "tenant: dmo",
        line="tenant: dmo", says="tenants[0].tenant|found: dmo|allowed: demo"),
    row("tenants-in-region", "cluster.yaml", "drivers:", "tenants: []\ndrivers:",
        line="tenants: []", says="below stacks/regions/lab/tenants"),
    row("service-duplicate", "tenants/demo.yaml", "", _SECOND_SERVICE.format(name="hello-gpu # again"),
        line="# again", says="found: demo/hello-gpu"),
    row("dns-name-collision", "network.yaml", "name: lab-spine2", "name: registry",
        line="name: registry", says="already that of services|found: registry"),
    row("tenant-name-too-long", "tenants/%s.yaml" % ("d" * 60), "", "tenant: " + "d" * 60 + "\nquota: {pods: 1, gpus: 0}\n",
        line="tenant: dd", says="the name of its bucket would have 71 characters|at most 52"),
    row("service-content", "tenants/demo.yaml", "    image: hello-gpu\n", "",
        line="- name: hello-gpu", says="demo/hello-gpu must say what it runs|neither image nor model"),
    row("service-ports", "tenants/demo.yaml", "    gpu:", "    ports: []\n    gpu:",
        line="ports: []", says="found: no port|http or http2 first"),
    row("service-health-unsuited", "tenants/demo.yaml", "    gpu:", "    ports: [{protocol: http2}]\n    health: {path: /healthz}\n    gpu:",
        line="path:", says="speaks HTTP/2|found: /healthz|allowed: `grpc: true`, or no path"),
    row("service-health-unsuited", "tenants/demo.yaml", "    gpu:", "    health: {grpc: true}\n    gpu:",
        line="grpc:", says="gRPC needs HTTP/2|found: http|protocol: http2"),
    row("service-sleeps-unwakeable", "tenants/demo.yaml", "concurrency: 10", "cpu_percent: 60",
        Edit("tenants/demo.yaml", "    gpu:", "    type: worker\n    gpu:"), line="cpu_percent", says="nothing would wake demo/hello-gpu"),
    row("service-target-unsuited", "tenants/demo.yaml", "min: 0", "min: 1",
        Edit("tenants/demo.yaml", "    gpu:", "    type: worker\n    gpu:"), line="concurrency", says="found: concurrency|cpu_percent, memory_percent, queue"),
    row("service-repeatable-unsuited", "tenants/demo.yaml", "min: 0, max: 2, concurrency: 10, idle_after_s: 15", "min: 1, cpu_percent: 60",
        Edit("tenants/demo.yaml", "    gpu:", "    type: worker\n    repeatable: true\n    gpu:"), line="repeatable", says="found: true|the gateway sends it no requests"),
    row("volume-shared", "tenants/demo.yaml", "    gpu:", "    rollout: {strategy: immediate}\n    volumes: [{name: data, path: /data, size_gib: 1}]\n    gpu:",
        line="scaling:", says="on one host, for one replica|found: 2"),
    row("host-name-too-long", "racks.yaml", "name: lab-r01", f"name: {_LONG}",
        line=_LONG, says="64 characters|at most 55"),
    row("region-interface-too-long", "region.yaml", "region: lab", "region: marshmallow",
        region="marshmallow", line="region: marsh", says="marshmallow-edge1|17 characters|at most 9"),
    row("pool-overlap", "network.yaml", "host_loopbacks: 10.255.1.0/24", "host_loopbacks: 10.255.0.128/25",
        line="host_loopbacks", says="overlaps pools.switch_loopbacks|10.255.0.128/25 and 10.255.0.0/24"),
    row("pool-overlap", "network.yaml", "pods: 10.244.0.0/16", "pods: 10.0.0.0/8",
        line="switch_loopbacks", says="overlaps pools.pods"),
    row("oob-part-overlap", "network.yaml", "racks: 172.30.0.128/25", "racks: 172.30.0.64/26",
        line="oob:", says="overlaps pools.oob.hosts"),
    row("oob-part-outside", "network.yaml", "racks: 172.30.0.128/25", "racks: 172.30.1.0/25",
        line="oob:", says="pools.oob.racks|outside the out-of-band network|within 172.30.0.0/24"),
    row("gateway-outside-network", "network.yaml", "gateway: 172.30.0.1", "gateway: 172.30.9.1",
        line="oob:", says="pools.oob.gateway|172.30.0.1 to 172.30.0.254"),
    row("gateway-in-pool", "network.yaml", "gateway: 172.30.0.1", "gateway: 172.30.0.20",
        line="oob:", says="lies in pools.oob.switches"),
    row("service-address-in-pool", "region.yaml", "ntp: [172.30.0.1]", "ntp: [172.30.0.66]",
        line="ntp:", says="services.ntp[0]|lies in pools.oob.hosts"),
    row("services-network-small", "network.yaml", "10.96.0.0/16", "10.96.0.0/28", line="10.96.0.0", says="at most 24"),
    row("switch-pool-small", "network.yaml", "lab-leaf2, id: 4", "lab-leaf2, id: 16",
        line="lab-leaf2", says="pools.oob.switches has no address for switch id 16|1 to 15"),
    row("host-pool-small", "racks.yaml", 'id: 1\n', 'id: 1 # first\n',
        Edit("network.yaml", "host_loopbacks: 10.255.1.0/24", "host_loopbacks: 10.255.1.0/30"),
        line="# first", says="pools.host_loopbacks has no address for host id 4|1 to 3"),
    row("oob-rack-block-missing", "racks.yaml", 'id: 1\n', 'id: 3\n',
        line="id: 3", says="pools.oob.racks has no address for /26 of rack 3|1 to 2"),
    row("oob-broadcast", "racks.yaml", 'id: 1\n', 'id: 2\n',
        Edit("network.yaml", "racks: 172.30.0.128/25, rack_prefix: 26", "racks: 172.30.0.248/29, rack_prefix: 30"),
        Edit("racks.yaml", _SPARE, ""),
        line="slot: 3", says="broadcast"),
    row("edge-pool-small", "network.yaml", "{id: 2, port: swp48}", "{id: 9, port: swp48}",
        line="lab-leaf2", says="edge id 9|1 to 8"),
    row("vip-outside-pool", "cluster.yaml", "vip_id: 1", "vip_id: 16", line="vip_id", says="VIP id 16|1 to 15"),
    row("vip-duplicate", "cluster.yaml", "join_pace: 2", 'api_vip_id: 1\n  join_pace: 2',
        line="api_vip_id", says="cannot share"),
    row("asn-overlap", "network.yaml", "host: 65200-65299", "host: 65150-65299",
        line="asns:", says="overlap those of asns.leaf"),
    row("asn-spine-range", "network.yaml", "spine: 65000", "spine: 65000-65001",
        line="asns:", says="share one AS number"),
    row("asn-leaf-range-small", "network.yaml", "leaf: 65100-65199", "leaf: 65100-65103",
        line="asns:", says="leaf id 4|65100-65104"),
    row("asn-host-range-small", "network.yaml", "host: 65200-65299", "host: 65200-65203",
        line="asns:", says="host id 4|65200-65204"),
    row("profile-unknown", "racks.yaml", "profile: nspawn-rack", "profile: nspawn-rak",
        line="nspawn-rak", says="did you mean nspawn-rack?"),
    row("tray-gpus-unknown", "racks.yaml", "gpus_of: nspawn-rack-large", "gpus_of: nspawn-rack-larg",
        line="gpus_of", says="racks[0].trays[2].gpus_of|did you mean nspawn-rack-large?"),
    row("tray-gpus-unknown", "racks.yaml", "gpus_of: nspawn-rack-large", "gpus_of: dgx-h200",
        line="gpus_of", says="8 a tray, real|4 a tray, simulated"),
    row("hall-duplicate", "region.yaml", "rows: 1, racks_per_row: 4}", "rows: 1, racks_per_row: 4}\n    - {name: bench, rows: 2, racks_per_row: 4}",
        line="rows: 2", says="site.halls[1].name|two halls"),
    row("hall-unknown", "racks.yaml", 'id: 1\n', 'id: 1\n    place: {hall: bensh, row: 1, position: 1}\n',
        line="bensh", says="did you mean bench?"),
    row("place-outside-hall", "racks.yaml", 'id: 1\n', 'id: 1\n    place: {hall: bench, row: 1, position: 5}\n',
        line="position: 5", says="row 1, position 5|positions 1 to 4"),
    row("place-missing", "racks.yaml", 'id: 1\n', 'id: 2\n', Edit("region.yaml", "racks_per_row: 4", "racks_per_row: 1"),
        line="id: 2", says="no place for this rack id|1 to 1: 1 x 1"),
    row("place-taken", "racks.yaml", "", _SECOND_RACK.format(name="lab-r02", id="2\n    place: {hall: bench, row: 1, position: 1}"),
        line="place:", says="racks[1].place|racks[0] stands there already"),
    row("image-unknown", "racks.yaml", "image: base", "image: basis", line="image: basis", says="allowed: base"),
    row("slot-beyond-profile", "racks.yaml", "slot: 4", "slot: 5", line="slot: 5", says="allowed: 1 to 4"),
    row("rack-beyond-stride", "racks.yaml", "profile: nspawn-rack", "profile: nspawn-rack # big",
        Edit("network.yaml", "slots_per_rack: 4", "slots_per_rack: 3"), line="# big", says="4 slots|at most 3"),
    row("nic-count", "racks.yaml", '"02:1a:b0:01:02:01", ', "", line="slot: 2", says="found: 2|3: eth0, eth1, eth2"),
    row("leaf-unknown", "racks.yaml", "[lab-leaf1, lab-leaf2]", "[lab-leaf1, lab-leaf3]",
        line="leaves:", says="racks[0].leaves[1]|lab-leaf1, lab-leaf2|did you mean"),
    row("leaf-twice", "racks.yaml", "[lab-leaf1, lab-leaf2]", "[lab-leaf1, lab-leaf1]",
        line="leaves:", says="names this leaf twice"),
    row("leaf-count", "racks.yaml", "[lab-leaf1, lab-leaf2]", "[lab-leaf1]",
        line="leaves:", says="found: 1|2: for eth1, eth2"),
    row("port-used-twice", "network.yaml", "{id: 1, port: swp48}", "{id: 1, port: swp3}",
        line="lab-leaf1", says="fabric.leaves[0].edge.port|swp3 of lab-leaf1|host lab-r01-t03"),
    row("port-used-twice", "network.yaml", "leaf_port: swp52", "leaf_port: swp51",
        line="lab-spine2", says="spine lab-spine1"),
    row("control-plane-size", "racks.yaml", "slot: 2, role: gpu_worker", "slot: 2, role: control_plane",
        Edit("cluster.yaml", "join_pace: 2", 'api_vip_id: 2\n  join_pace: 2'),
        line="racks:", says="a control plane of 2|1, 3, 5"),
    row("control-plane-address", "cluster.yaml", "join_pace: 2", "join_pace: 3",
        Edit("racks.yaml", "role: spare", "role: control_plane"),
        Edit("racks.yaml", "slot: 2, role: gpu_worker", "slot: 2, role: control_plane"),
        line="cluster:", says="add api_vip_id"),
    row("worker-missing", "racks.yaml", "slot: 2, role: gpu_worker", "slot: 2, role: spare",
        Edit("racks.yaml", "slot: 3, role: gpu_worker", "slot: 3, role: spare"),
        line="racks:", says="no tray is a GPU worker"),
    row("profiles-disagree", "racks.yaml", "", _SECOND_RACK.format(name="lab-r02", id=2).replace("nspawn-rack", "other"),
        Edit("_catalogue/racks/other.yaml", "", _GUEST_FILE.format(profile="other")),
        line="profile: other", says="cgroup_version"),
    row("containerd-unsupported", "cluster.yaml", "containerd: 2.4.2", "containerd: 1.7.28",
        line="containerd", says="2.3.x, 2.4.x"),
    row("containerd-unsupported", "cluster.yaml", "kubernetes: 1.36.3", "kubernetes: 1.20.1",
        line="kubernetes", says="1.36.x"),
    row("quota-zero", "tenants/demo.yaml", "pods: 20", "pods: 0", line="pods: 0", says="may have no pod"),
    row("service-gpus-beyond-host", "tenants/demo.yaml", "count: 1", "count: 5",
        Edit("tenants/demo.yaml", "gpus: 4}", "gpus: 8}"), Edit("tenants/demo.yaml", "max: 2", "max: 1"), line="count: 5", says="tenants[0].services[0].gpu.count|at most 4"),
    row("service-beyond-gpu-quota", "tenants/demo.yaml", "max: 2", "max: 5", line="max: 5", says="5 x 1 = 5|at most 4"),
    row("service-beyond-pod-quota", "tenants/demo.yaml", "pods: 20", "pods: 1", line="scaling:", says="found: 2|at most 1"),
    row("replicas-order", "tenants/demo.yaml", "min: 0", "min: 3", line="min: 3", says="found: 3|at most 2 (max)"),
)
# fmt: on

ROWS = (*YAML_ROWS, *VALUE_ROWS, *RULE_ROWS)


def problems_of(project: Path, region: str = "lab") -> tuple[Problem, ...]:
    """What is wrong with the region of this project."""
    try:
        load_lab(project, region)
    except SpecError as error:
        return error.problems
    return ()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.rule)
def test_a_wrong_description_is_refused_with_its_place_and_remedy(row: Row, tmp_path: Path) -> None:
    project = edited_lab(tmp_path, row.edits, row.region)
    problems = problems_of(project, row.region)
    assert {p.rule for p in problems} == {row.rule}, "\n".join(map(str, problems))
    problem = problems[0]
    assert problem.file
    lines = (tmp_path / problem.file).read_text().splitlines()
    assert file_of(project, row.edits[0].file, row.region) == tmp_path / problem.file
    assert problem.line
    assert row.line in lines[problem.line - 1], lines[problem.line - 1]
    text = str(problem)
    for words in row.says:
        assert words in text
    assert not row.silent or row.silent not in "\n".join(map(str, problems))


def test_every_rule_has_a_row() -> None:
    # test_catalogue_reject.py, test_spec_reject_networks.py, test_faults.py
    elsewhere = {rule.id for rule in (*catalogue.RULES, *networks.RULES)} | {fault.rule for fault in faults()}
    assert {rule.id for rule in RULES} - {row.rule for row in ROWS} - elsewhere == set()


def test_every_problem_says_what_to_do_next(tmp_path: Path) -> None:
    """Rules over the region always have a remedy; here those of one bad edit each."""
    for number, row in enumerate(RULE_ROWS):
        for problem in problems_of(edited_lab(tmp_path / str(number), row.edits, row.region), row.region):
            assert problem.remedy, problem
            assert problem.allowed, problem
