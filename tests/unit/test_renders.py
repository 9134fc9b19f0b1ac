"""Renders other than switches, read as their consumers read them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import dns.zone
import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from components.plan import RegionPlan
from components.plan.inventory import ansible_inventory
from components.plan.renders import RENDERS
from components.plan.renders.kueue import LEVELS

Golden = Callable[[str, str], None]

LABEL_KEY = re.compile(r"^([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$")
LABEL_VALUE = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$")
TARGET_GROUPS = {
    # Prometheus: a file_sd file is a list of groups; anything else in a group is refused when it is read.
    "type": "array",
    "items": {
        "type": "object",
        "required": ["targets"],
        "additionalProperties": False,
        "properties": {
            "targets": {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}},
            "labels": {
                "type": "object",
                "propertyNames": {"pattern": "^[a-zA-Z_][a-zA-Z0-9_]*$"},
                "additionalProperties": {"type": "string"},
            },
        },
    },
}


def files(plan: RegionPlan, render: str) -> dict[str, str]:
    found = list(RENDERS[render].files(plan))
    assert len(found) == len(dict(found)), "each path is made once"
    return dict(found)


def yaml(text: str) -> list[Any]:
    return list(YAML(typ="safe").load_all(text))


def nodes(plan: RegionPlan) -> dict[str, dict[str, str]]:
    found = [node for text in files(plan, "labels").values() for node in yaml(text)]
    return {node["metadata"]["name"]: node["metadata"]["labels"] for node in found}


@pytest.fixture
def received(essonne_rack: RegionPlan) -> RegionPlan:
    """Essonne's rack after its first tray was delivered."""
    rack = next(rack for rack in essonne_rack.racks if rack.hardware.gpus)
    first = replace(rack.hosts[0], serial="S1", bmc_mac="0c:42:a1:00:00:01")
    racks = tuple(replace(r, hosts=(first, *r.hosts[1:])) if r is rack else r for r in essonne_rack.racks)
    return replace(essonne_rack, racks=racks)


@pytest.mark.parametrize("render", sorted(set(RENDERS) - {"switches"}))
def test_a_render_is_as_reviewed(render: str, lab_plan: RegionPlan, golden: Golden) -> None:
    for path, text in files(lab_plan, render).items():
        golden(f"lab/renders/{render}/{path}", text)


@pytest.mark.parametrize("render", ["labels", "kueue"])
def test_a_render_of_a_rack_of_gpus_is_as_reviewed(render: str, essonne_rack: RegionPlan, golden: Golden) -> None:
    for path, text in files(essonne_rack, render).items():
        golden(f"essonne/renders/{render}/{path}", text)


@pytest.mark.parametrize("render", RENDERS)
def test_the_same_plan_gives_the_same_bytes(render: str, lab_plan: RegionPlan) -> None:
    assert files(lab_plan, render) == files(lab_plan, render)


def answer(zone: dns.zone.Zone, name: str, kind: str) -> str:
    found: Any = zone.find_rdataset(name, kind)
    assert len(found) == 1, f"{name} has {len(found)} {kind} records"
    return str(found[0])


def test_a_dns_library_loads_every_zone_and_finds_every_record_both_ways(received: RegionPlan) -> None:
    zones = {
        path.removesuffix(".zone"): dns.zone.from_text(text, check_origin=True, relativize=False)
        for path, text in files(received, "zones").items()
    }
    forward = zones[received.domain]
    for record in received.records:
        assert answer(forward, f"{record.name}.{received.domain}.", "A") == record.address
    for endpoint in received.networks.oob.endpoints:
        name = f"{endpoint.name}.{received.domain}."
        assert answer(forward, name, "A") == endpoint.address
        reverse = zones[".".join(endpoint.address.split(".")[1::-1]) + ".in-addr.arpa"]
        assert answer(reverse, f"{IPv4Address(endpoint.address).reverse_pointer}.", "PTR") == name


def test_a_changed_zone_has_another_serial(essonne_rack: RegionPlan) -> None:
    before = files(essonne_rack, "zones")[f"{essonne_rack.domain}.zone"].splitlines()
    records = (*essonne_rack.records[:-1], replace(essonne_rack.records[-1], address="10.0.0.9"))
    after = files(replace(essonne_rack, records=records), "zones")[f"{essonne_rack.domain}.zone"].splitlines()
    assert before[2] != after[2] and "SOA" in before[2]


def test_dhcp_knows_a_bmc_when_its_mac_was_received_and_answers_nobody_else(received: RegionPlan) -> None:
    config = json.loads(files(received, "dhcp")["kea-dhcp4.json"])["Dhcp4"]
    assert not any("pools" in subnet for subnet in config["subnet4"])
    rack = next(rack for rack in received.racks if rack.hardware.gpus)
    subnet = next(subnet for subnet in config["subnet4"] if subnet["id"] == rack.id)
    assert subnet["subnet"] == rack.oob_block
    (relay,) = subnet["relay"]["ip-addresses"]
    assert IPv4Address(relay) in IPv4Network(subnet["subnet"])
    assert subnet["reservations"] == [
        {
            "hw-address": "0c:42:a1:00:00:01",
            "ip-address": rack.hosts[0].bmc_address,
            "hostname": f"{rack.hosts[0].name}-bmc.{received.domain}",
        }
    ]


def test_a_flat_network_is_one_subnet(lab_plan: RegionPlan) -> None:
    config = json.loads(files(lab_plan, "dhcp")["kea-dhcp4.json"])["Dhcp4"]
    (subnet,) = config["subnet4"]
    assert subnet["subnet"] == lab_plan.oob.network
    assert len(subnet["reservations"]) == len(lab_plan.hosts)


def test_ansible_reads_a_shard_as_it_reads_the_whole(lab_plan: RegionPlan, tmp_path: Path) -> None:
    for path, text in files(lab_plan, "inventories").items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    whole = tmp_path / "whole.json"
    whole.write_text(json.dumps(ansible_inventory(lab_plan)))

    def listed(inventory: Path) -> dict[str, Any]:
        command = [str(Path(sys.executable).parent / "ansible-inventory"), "-i", str(inventory), "--list"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
        return json.loads(done.stdout)["_meta"]["hostvars"]

    (shard,) = (tmp_path / path for path in files(lab_plan, "inventories") if "/" not in path)
    assert listed(shard) == listed(whole)


def test_labels_are_what_kubernetes_takes(essonne_rack: RegionPlan) -> None:
    found = nodes(essonne_rack)
    assert set(found) == {host.name for host in essonne_rack.deployed_hosts}, "a spare is no node"
    for labels in found.values():
        for key, value in labels.items():
            assert LABEL_KEY.match(key) and LABEL_VALUE.match(value), f"{key}: {value}"


def test_every_node_with_gpus_has_every_level_of_kueues_topology(essonne_rack: RegionPlan) -> None:
    topology = yaml(files(essonne_rack, "kueue")["topology.yaml"])[0]
    levels = [level["nodeLabel"] for level in topology["spec"]["levels"]]
    assert tuple(levels) == LEVELS
    for flavor in yaml(files(essonne_rack, "kueue")["flavors.yaml"]):
        ((key, model),) = flavor["spec"]["nodeLabels"].items()
        members = [labels for labels in nodes(essonne_rack).values() if labels.get(key) == model]
        assert members
        assert all(level in labels for labels in members for level in levels if level != "kubernetes.io/hostname")


def test_topograph_tiers_widen_outwards(essonne_rack: RegionPlan) -> None:
    labels = next(labels for labels in nodes(essonne_rack).values() if "accelerator.topograph.run/domain" in labels)
    tiers = [labels[f"fabric.topograph.run/tier-{n}"] for n in range(3)]
    assert tiers == ["ess-r001", "essonne-u01", "essonne-i1"]
    assert labels["accelerator.topograph.run/domain"] == "ess-r001-nvl"


def test_prometheus_finds_every_host_every_gpu_and_every_controller(essonne_rack: RegionPlan) -> None:
    groups = {path: json.loads(text) for path, text in files(essonne_rack, "prometheus").items()}
    for document in groups.values():
        Draft202012Validator(TARGET_GROUPS).validate(document)
    targets = {path: [t for group in document for t in group["targets"]] for path, document in groups.items()}
    hosts = essonne_rack.deployed_hosts
    assert targets["hosts.json"] == [f"{host.loopback}:9100" for host in hosts]
    assert targets["gpus.json"] == [f"{host.loopback}:9400" for host in hosts if host.gpus]
    assert sorted(targets["management.json"]) == sorted(e.address for e in essonne_rack.networks.oob.endpoints)


def received_tray(plan: RegionPlan) -> RegionPlan:
    rack = plan.racks[0]
    host = replace(rack.hosts[0], serial="S9", bmc_mac="0c:42:a1:00:00:09")
    return replace(plan, racks=(replace(rack, hosts=(host, *rack.hosts[1:])), *plan.racks[1:]))


def other_mtu(plan: RegionPlan) -> RegionPlan:
    return replace(plan, fabric=replace(plan.fabric, mtu=plan.fabric.mtu - 100))


def other_name_server(plan: RegionPlan) -> RegionPlan:
    return replace(plan, endpoints=replace(plan.endpoints, dns=("10.9.9.9",)))


def one_host_less(plan: RegionPlan) -> RegionPlan:
    rack = plan.racks[0]
    return replace(plan, racks=(replace(rack, hosts=rack.hosts[1:]), *plan.racks[1:]))


def moved_rack(plan: RegionPlan) -> RegionPlan:
    first, *others = plan.topology.racks
    return replace(plan, topology=replace(plan.topology, racks=(replace(first, hall="z"), *others)))


def unchanged(plan: RegionPlan) -> RegionPlan:
    return replace(plan, fabric=replace(plan.fabric), racks=tuple(replace(rack) for rack in plan.racks))


CHANGES = (received_tray, other_mtu, other_name_server, one_host_less, moved_rack, unchanged)


@pytest.mark.parametrize("render", RENDERS)
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_what_a_change_touches_is_made_again(
    render: str, change: Callable[[RegionPlan], RegionPlan], essonne_rack: RegionPlan
) -> None:
    new = change(essonne_rack)
    made = dict(RENDERS[render].changed(essonne_rack, new))
    after = files(new, render)
    differ = {path: text for path, text in after.items() if files(essonne_rack, render).get(path) != text}
    assert differ.items() <= made.items() <= after.items()


@pytest.mark.parametrize("render", RENDERS)
def test_nothing_is_made_again_for_an_equal_plan(render: str, essonne_rack: RegionPlan) -> None:
    assert list(RENDERS[render].changed(essonne_rack, unchanged(essonne_rack))) == []


def test_a_delivered_tray_touches_its_own_rack_only(essonne_rack: RegionPlan) -> None:
    made = {
        f"{name}/{path}"
        for name, render in RENDERS.items()
        for path, _ in render.changed(essonne_rack, received_tray(essonne_rack))
    }
    rack = essonne_rack.racks[0].name
    whole = {f"prometheus/{what}.json" for what in ("hosts", "gpus", "management", "switches")}
    assert made == {f"inventories/{rack}.json", "dhcp/kea-dhcp4.json"} | whole
