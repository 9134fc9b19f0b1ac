"""Configurations of switches: each system's own form, and the same meaning in all of them."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from ruamel.yaml import YAML

from components.errors import SpecError
from components.plan import RegionPlan
from components.plan.actions.switches import line_changes, restarting
from components.plan.fabric_model import SwitchPlan
from components.plan.frr import switch_config
from components.plan.renders import RENDERS
from components.plan.renders.switches import DIALECTS, config_text
from components.plan.switch_text import addresses, neighbours, nv_set, sessions

Golden = Callable[[str, str], None]

KINDS = {"spine": "essonne-p1-spine01", "leaf": "essonne-u01-leaf1", "border": "essonne-p1-border1"}
SPLIT = re.compile(r"^swp[0-9]+s[0-9]+$")


def switch_of(plan: RegionPlan, name: str, os: str | None = None) -> SwitchPlan:
    switch = next(s for s in plan.fabric.switches if s.name == name)
    return replace(switch, os=os) if os else switch


def files(plan: RegionPlan, name: str, os: str) -> Mapping[str, str]:
    return DIALECTS[os].files(switch_of(plan, name, os), plan)


def nvue(plan: RegionPlan, name: str) -> dict[str, Any]:
    document: Any = YAML(typ="safe").load(io.StringIO(files(plan, name, "cumulus")["startup.yaml"]))
    assert [list(part) for part in document] == [["header"], ["set"]]
    return document[1]["set"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("os", ["cumulus", "sonic"])
def test_the_configuration_of_each_kind_of_switch_is_as_reviewed(
    kind: str, os: str, essonne_rack: RegionPlan, golden: Golden
) -> None:
    for file, text in files(essonne_rack, KINDS[kind], os).items():
        golden(f"essonne/switches/{os}/{kind}-{file}", text)


@pytest.mark.parametrize("name", KINDS.values())
def test_every_system_has_the_same_sessions_and_addresses(name: str, essonne_rack: RegionPlan) -> None:
    frr = switch_config(switch_of(essonne_rack, name), essonne_rack)
    cumulus = config_text(switch_of(essonne_rack, name, "cumulus"), essonne_rack)
    assert sessions("frr", frr) == sessions("cumulus", cumulus)
    assert addresses("frr", frr) == addresses("cumulus", cumulus)

    sonic = config_text(switch_of(essonne_rack, name, "sonic"), essonne_rack)
    names = DIALECTS["sonic"].ports(switch_of(essonne_rack, name))
    assert {names[port]: session for port, session in sessions("frr", frr).items()} == sessions("sonic", sonic)
    assert {names[port]: address for port, address in addresses("frr", frr).items()} == addresses("sonic", sonic)


def test_cumulus_lets_in_and_out_what_frr_does(essonne_rack: RegionPlan) -> None:
    frr = switch_config(switch_of(essonne_rack, KINDS["leaf"]), essonne_rack)
    tree = nvue(essonne_rack, KINDS["leaf"])
    lists = {
        f"{name} seq {number} {rule['action']} {prefix}" + (" le 32" if limits.get("max-prefix-len") == 32 else "")
        for name, entry in tree["router"]["policy"]["prefix-list"].items()
        for number, rule in entry["rule"].items()
        for prefix, limits in rule["match"].items()
    }
    assert lists == {line.removeprefix("ip prefix-list ") for line in frr.splitlines() if "prefix-list " in line[:15]}
    bgp = tree["vrf"]["default"]["router"]["bgp"]
    assert set(bgp["address-family"]["ipv4-unicast"]["network"]) == set(re.findall(r"^  network (\S+)$", frr, re.M))
    used = {
        (port, settings["address-family"]["ipv4-unicast"]["policy"]["inbound"]["prefix-list"])
        for port, settings in bgp["neighbor"].items()
        if "address-family" in settings
    }
    assert used == set(re.findall(r"^  neighbor (\S+) prefix-list (\S+) in$", frr, re.M))
    assert bgp["peer-group"]["HOSTS"]["address-family"]["ipv4-unicast"]["policy"] == {
        "outbound": {"prefix-list": "TO-HOSTS"}
    }


def test_cumulus_splits_each_cage_once_and_sets_the_mtu_of_every_port(essonne_rack: RegionPlan) -> None:
    interfaces = nvue(essonne_rack, KINDS["leaf"])["interface"]
    parts = {name.rpartition("s")[0] for name in interfaces if SPLIT.match(name)}
    split = {name: e["link"]["breakout"] for name, e in interfaces.items() if "breakout" in e.get("link", {})}
    assert split == {part: {"4x": {}} for part in parts}
    ports = [entry for name, entry in interfaces.items() if entry["type"] == "swp" and name not in split]
    assert {entry["link"]["mtu"] for entry in ports} == {essonne_rack.fabric.mtu}


def test_cumulus_is_managed_out_of_band_in_a_table_of_its_own(essonne_rack: RegionPlan) -> None:
    eth0 = nvue(essonne_rack, KINDS["spine"])["interface"]["eth0"]
    assert eth0["ip"]["vrf"] == "mgmt"
    assert list(eth0["ip"]["gateway"]) == [essonne_rack.oob.gateway]


def test_sonic_numbers_ports_by_their_first_lane(essonne_rack: RegionPlan) -> None:
    tables = json.loads(files(essonne_rack, KINDS["leaf"], "sonic")["config_db.json"])
    ports = tables["PORT"]
    assert ports["Ethernet2"] | {"mtu": ""} == {
        "admin_status": "up",
        "alias": "etp1b",
        "index": "1",
        "lanes": "2,3",
        "mtu": "",
        "speed": "200000",
    }
    lanes = [int(lane) for port in ports.values() for lane in port["lanes"].split(",")]
    assert len(lanes) == len(set(lanes)), "no lane belongs to two ports"
    assert tables["BREAKOUT_CFG"]["Ethernet0"] == {"brkout_mode": "4x200G[100G,50G,25G,10G]"}
    routed = {name for name in tables["INTERFACE"] if "|" not in name}
    assert routed == set(ports)
    assert all(name.split("|")[0] in routed for name in tables["INTERFACE"])
    assert tables["DEVICE_METADATA"]["localhost"]["docker_routing_config_mode"] == "split-unified"


def test_sonic_on_unknown_hardware_is_refused_with_what_is_known(lab_plan: RegionPlan) -> None:
    with pytest.raises(SpecError) as refused:
        files(lab_plan, "lab-leaf1", "sonic")
    assert refused.value.problems[0].found == "frr-nspawn"
    assert refused.value.problems[0].allowed == "sn5600"


def test_every_switch_has_its_files_under_its_name(essonne_rack: RegionPlan, lab_plan: RegionPlan) -> None:
    assert {path for path, _ in RENDERS["switches"].files(lab_plan)} == {
        f"{s.name}/frr.conf" for s in lab_plan.fabric.switches
    }
    assert {path for path, _ in RENDERS["switches"].files(essonne_rack)} == {
        f"{s.name}/startup.yaml" for s in essonne_rack.fabric.switches
    }


def test_a_difference_of_cumulus_is_told_in_commands(essonne_rack: RegionPlan) -> None:
    switch = switch_of(essonne_rack, KINDS["leaf"])
    old = config_text(switch, essonne_rack)
    moved = replace(switch, ports=(replace(switch.ports[0], address="10.9.9.0/31"), *switch.ports[1:]))
    new = config_text(moved, essonne_rack)
    assert line_changes(old, new, before_os="cumulus", os="cumulus") == (
        "- interface swp1s0 ip address 10.0.64.0/31",
        "- vrf default router bgp address-family ipv4-unicast network 10.0.64.0/31",
        "+ interface swp1s0 ip address 10.9.9.0/31",
        "+ vrf default router bgp address-family ipv4-unicast network 10.9.9.0/31",
    )
    assert restarting(old, new, before_os="cumulus", os="cumulus") == ("swp1s0",)


def test_all_sessions_of_cumulus_restart_with_its_own_number(essonne_rack: RegionPlan) -> None:
    switch = switch_of(essonne_rack, KINDS["spine"])
    old, new = (config_text(each, essonne_rack) for each in (switch, replace(switch, asn=switch.asn + 1)))
    assert set(restarting(old, new, before_os="cumulus", os="cumulus")) == neighbours("cumulus", old)


def test_commands_hold_what_the_yaml_does() -> None:
    text = '- header:\n    model: x\n- set:\n    a:\n      "4x": {}\n      b: 1\n    c:\n      d: on\n'
    assert list(nv_set(text)) == ["a 4x", "a b 1", "c d on"]
