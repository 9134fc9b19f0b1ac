"""What the plan says of the lab, and what it refuses to plan."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from components.errors import SpecError
from components.plan import RegionPlan, compile_region
from components.plan.addressing import address, edge_pair, subnet
from components.plan.frr import switch_config
from components.plan.inventory import ROLES_OF_VARIABLES, ansible_inventory, family, variable_names
from components.plan.model import TrayRole
from components.plan.naming import bmc_name, host_name
from components.plan.resources import playbook_inputs, switch_group_inputs
from components.spec.artifacts import ArtifactIndex
from components.spec.derive import HOST_SUFFIXES, leaf_port
from components.spec.region import Region
from tests.regions import ARTIFACTS, Edit, edited_lab, load_lab, plan_of


def index_with(edit: Callable[[dict[str, Any]], object]) -> ArtifactIndex:
    document = json.loads(ARTIFACTS.read_text())
    edit(document)
    return ArtifactIndex.model_validate_json(json.dumps(document), strict=True)


ARTIFACT_CASES: dict[str, tuple[Callable[[dict[str, Any]], object], str, str, int]] = {
    "artifact-unpublished": (
        lambda d: d["container_images"].pop("hello-gpu"),
        "tenants[0].services[0].image",
        "tenants/demo.yaml",
        5,
    ),
    "deploy image": (lambda d: d["deploy_images"].clear(), "images.base.name", "cluster.yaml", 2),
    "deploy-image-format": (
        lambda d: d["deploy_images"]["debian-12-base"].update(format="qcow2"),
        "images.base.format",
        "cluster.yaml",
        2,
    ),
    "system image": (lambda d: d["container_images"].pop("etcd"), "cluster", "cluster.yaml", 3),
    "manifest": (lambda d: d["manifests"].pop("keda"), "runtime", "cluster.yaml", 9),
    "version": (
        lambda d: d["container_images"]["kube-proxy"].update(tag="v1.35.0"),
        "cluster.kubernetes",
        "cluster.yaml",
        5,
    ),
}


@pytest.mark.parametrize("case", ARTIFACT_CASES)
def test_what_is_not_published_is_refused_with_its_place(case: str, lab_region: Region) -> None:
    edit, path, file, line = ARTIFACT_CASES[case]
    with pytest.raises(SpecError) as refused:
        compile_region(lab_region, index_with(edit))
    (problem,) = refused.value.problems
    assert (problem.path, problem.file, problem.line) == (path, f"stacks/regions/lab/{file}", line)
    assert problem.remedy
    assert problem.allowed


def test_an_address_is_the_pools_first_plus_the_id() -> None:
    assert address(IPv4Network("172.30.0.64/26"), 1) == "172.30.0.65"
    assert subnet(IPv4Network("10.244.0.0/16"), 24, 3) == "10.244.3.0/24"
    assert edge_pair(IPv4Network("10.255.3.0/28"), 2) == ("10.255.3.2/31", "10.255.3.3/31")
    for id in (0, 64):
        with pytest.raises(ValueError, match="outside"):
            address(IPv4Network("172.30.0.64/26"), id)
    with pytest.raises(ValueError, match="outside"):
        subnet(IPv4Network("10.244.0.0/16"), 24, 256)


def test_names_are_those_that_the_rules_measure() -> None:
    assert host_name("lab-r01", 4) == "lab-r01-t04"
    assert {bmc_name("x"), "x"} == {f"x{suffix}" for suffix in HOST_SUFFIXES}
    assert leaf_port("swp11", 3) == "swp13"


def test_a_spare_is_planned_but_in_no_group_of_the_inventory(lab_plan: RegionPlan) -> None:
    spare = next(host for host in lab_plan.hosts if host.role is TrayRole.SPARE)
    assert spare.service_vips == ()
    assert spare not in lab_plan.deployed_hosts
    assert spare.name not in json.dumps(ansible_inventory(lab_plan))


def test_a_leaf_accepts_from_a_host_what_is_the_hosts_and_nothing_else(lab_plan: RegionPlan) -> None:
    leaf = next(switch for switch in lab_plan.fabric.switches if switch.name == "lab-leaf1")
    allowed = dict(leaf.host_prefixes)
    assert allowed["lab-r01-t01"] == ("10.255.1.1/32", "10.244.1.0/24")
    assert allowed["lab-r01-t02"] == ("10.255.1.2/32", "10.244.2.0/24", "10.255.2.1/32"), "workers announce the gateway"
    config = switch_config(leaf, lab_plan)
    for host in allowed:
        assert f" prefix-list {host} in\n" in config
    assert " neighbor swp48 " not in config, "an edge is routed, not peered"
    assert "  network 10.255.3.0/31\n" in config
    assert "redistribute" not in config


def test_defaults_of_frr_are_left_out_as_frr_leaves_them_out(lab_plan: RegionPlan) -> None:
    slow = replace(lab_plan, fabric=replace(lab_plan.fabric, bfd_interval_ms=300, bfd_multiplier=5))
    config = switch_config(slow.fabric.switches[0], slow)
    assert "interval" not in config
    assert "  detect-multiplier 5\n" in config


def test_neighbours_are_in_the_order_in_which_frr_prints_them(lab_plan: RegionPlan) -> None:
    """Seen with FRR 8.4.4: by peer group, then by name with numbers as numbers."""
    leaf = next(switch for switch in lab_plan.fabric.switches if switch.name == "lab-leaf1")
    names = {"swp1": "swp10", "swp51": "swp5"}
    renamed = replace(leaf, ports=tuple(replace(port, name=names.get(port.name, port.name)) for port in leaf.ports))
    lines = [line for line in switch_config(renamed, lab_plan).splitlines() if " interface peer-group " in line]
    assert [line.split()[1] for line in lines] == ["swp2", "swp3", "swp4", "swp10", "swp5", "swp52"]


def test_a_fabric_is_done_without_hosts(lab_plan: RegionPlan) -> None:
    leaf = switch_group_inputs(lab_plan)["switches"]["lab-leaf1"]
    assert leaf["expect_up"] == ["swp51", "swp52"]
    assert leaf["may_be_down"] == ["swp1", "swp2", "swp3", "swp4"]
    assert leaf["peers"]["swp51"] == ["lab-spine1", "swp1"]


def test_a_control_plane_of_three_has_an_address_of_its_own(tmp_path: Path) -> None:
    edits = [
        Edit("racks.yaml", "slot: 2, role: gpu_worker", "slot: 2, role: control_plane"),
        Edit("racks.yaml", "role: spare", "role: control_plane"),
        Edit("cluster.yaml", "join_pace: 2", "api_vip_id: 2\n  join_pace: 2"),
    ]
    plan = plan_of(load_lab(edited_lab(tmp_path, edits)))
    assert plan.cluster.api_address == "10.255.2.2"
    announcing = [host.name for host in plan.hosts if "10.255.2.2" in host.service_vips]
    assert announcing == ["lab-r01-t01", "lab-r01-t02", "lab-r01-t04"]


def test_a_playbook_is_given_what_its_roles_read(lab_plan: RegionPlan) -> None:
    """It runs again when its inventory changes, so it must not hold what it does not use."""
    runtime = playbook_inputs(lab_plan, "runtime.yml", {"runtime.yml": "1", "roles/keda": "2"})
    given = runtime["inventory"]["all"]["vars"]
    assert set(given) == {"keda_manifest_url", "keda_manifest_sha256"}
    assert runtime["secret_variables"] == {}
    bootstrap = playbook_inputs(lab_plan, "bootstrap.yml", {"bootstrap.yml": "1", "roles/frr": "2", "roles/base": "3"})
    assert "keda_manifest_url" not in bootstrap["inventory"]["all"]["vars"]
    hosts = bootstrap["inventory"]["all"]["children"]["hosts"]["children"]["gpu_worker"]["hosts"]
    assert hosts["lab-r01-t02"]["frr_asn"] == 65202
    assert "kubernetes_node_ip" not in hosts["lab-r01-t02"]


def test_every_variable_belongs_to_a_role(lab_plan: RegionPlan) -> None:
    assert {family(name) for name in variable_names(lab_plan)} == set(ROLES_OF_VARIABLES) - {"ansible"}


def test_no_input_of_a_resource_holds_a_secret_or_a_path_of_this_machine(lab_plan: RegionPlan) -> None:
    text = json.dumps([switch_group_inputs(lab_plan), playbook_inputs(lab_plan, "site.yml", {"site.yml": "1"})])
    assert str(ARTIFACTS.parent) not in text
    assert "PRIVATE KEY" not in text
