"""What a change of inputs means physically: one case each, no-ops beside the actions."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from components.plan import RegionPlan
from components.plan.actions import (
    ActionKind,
    PhysicalAction,
    elapsed_s,
    playbook_actions,
    rack_actions,
    switch_actions,
)
from components.plan.resources import playbook_inputs, rack_inputs, switch_group_inputs

Edit = Callable[[dict[str, Any]], object]

T1, T2, T4 = "lab-r01-t01", "lab-r01-t02", "lab-r01-t04"


@pytest.fixture
def rack(lab_plan: RegionPlan) -> dict[str, Any]:
    return rack_inputs(lab_plan, lab_plan.racks[0])


@pytest.fixture
def switches(lab_plan: RegionPlan) -> dict[str, Any]:
    return switch_group_inputs(lab_plan)


@pytest.fixture
def run(lab_plan: RegionPlan) -> dict[str, Any]:
    return playbook_inputs(lab_plan, "bootstrap.yml", {"bootstrap.yml": "1", "roles/base": "2", "roles/frr": "3"})


def edited(inputs: dict[str, Any], edit: Edit) -> dict[str, Any]:
    changed = copy.deepcopy(inputs)
    edit(changed)
    return changed


def brief(actions: tuple[PhysicalAction, ...]) -> list[str]:
    """`t02 deploy!` for a destructive deploy of lab-r01-t02."""
    return [f"{a.target.removeprefix('lab-r01-')} {a.kind}{'!' if a.destructive else ''}" for a in actions]


def tray(name: str, **values: Any) -> Edit:
    return lambda inputs: inputs["trays"][name].update(values)


def test_the_same_inputs_mean_no_action(rack: dict[str, Any], switches: dict[str, Any], run: dict[str, Any]) -> None:
    assert rack_actions(rack, copy.deepcopy(rack)) == ()
    assert switch_actions(switches, copy.deepcopy(switches)) == ()
    assert playbook_actions(run, copy.deepcopy(run)) == ()


def test_a_new_rack_is_enrolled_inspected_wiped_and_deployed_but_for_its_spare(rack: dict[str, Any]) -> None:
    actions = rack_actions(None, rack)
    assert brief(tuple(a for a in actions if a.target == T1)) == [
        "t01 enrol",
        "t01 inspect",
        "t01 clean!",
        "t01 deploy",
    ]
    assert brief(tuple(a for a in actions if a.target == T4)) == ["t04 enrol", "t04 inspect", "t04 clean!"]
    assert elapsed_s(actions) == elapsed_s(a for a in actions if a.target == T1), "trays do not wait for each other"


def test_a_rack_that_goes_is_undeployed_wiped_and_forgotten(rack: dict[str, Any]) -> None:
    actions = rack_actions(rack, None)
    assert brief(tuple(a for a in actions if a.target == T2)) == ["t02 undeploy!", "t02 clean!", "t02 remove"]
    assert brief(tuple(a for a in actions if a.target == T4)) == ["t04 remove"]


RACK_CASES: dict[str, tuple[Edit, list[str]]] = {
    "a tray that leaves": (
        lambda rack: rack["trays"].pop(T2),
        ["t02 undeploy!", "t02 clean!", "t02 remove"],
    ),
    "another machine in the place of one": (
        tray(T4, serial="LABR01T99"),
        ["t04 remove", "t04 enrol", "t04 inspect", "t04 clean!"],
    ),
    "a spare that takes up service": (tray(T4, desired="active"), ["t04 deploy"]),
    "a host that becomes a spare": (tray(T2, desired="available"), ["t02 undeploy!", "t02 clean!"]),
    "another image": (
        lambda rack: rack["image"].update(sha256="f" * 64),
        [f"t0{n} {what}" for n in (1, 2, 3) for what in ("undeploy!", "clean!", "deploy")],
    ),
    "the same image elsewhere": (lambda rack: rack["image"].update(url="http://172.30.0.2/image.raw"), []),
    "another address": (
        tray(T2, oob={"address": "172.30.0.99", "prefix": 24, "gateway": "172.30.0.1"}),
        ["t02 undeploy!", "t02 clean!", "t02 deploy"],
    ),
    "another boot mode of a spare": (tray(T4, boot_mode="uefi"), []),
    "another BMC address": (tray(T2, bmc_url="https://172.30.0.200:443"), ["t02 enrol"]),
    "a new network card in a host": (tray(T2, macs={"eth0": "02:00:00:00:00:01"}), ["t02 enrol"]),
    "a new network card in a spare": (tray(T4, macs={"eth0": "02:00:00:00:00:01"}), ["t04 enrol", "t04 inspect"]),
    "another resolver": (tray(T2, dns=["172.30.0.2"]), ["t02 nothing"]),
    "another time limit": (lambda rack: rack.update(deploy_timeout_s=60), ["lab-r01 nothing"]),
    "protection": (lambda rack: rack.update(protect=True), ["lab-r01 nothing"]),
    "other BMC credentials": (
        lambda rack: rack.update(bmc_credentials="env:BMC"),
        ["t01 enrol", "t02 enrol", "t03 enrol", "t04 enrol"],
    ),
}


@pytest.mark.parametrize("case", RACK_CASES)
def test_a_change_of_a_rack_means_these_actions_and_no_others(case: str, rack: dict[str, Any]) -> None:
    edit, expected = RACK_CASES[case]
    assert brief(rack_actions(rack, edited(rack, edit))) == expected


def test_a_reason_names_both_values(rack: dict[str, Any]) -> None:
    action = rack_actions(rack, edited(rack, lambda r: r["image"].update(sha256="f" * 64)))[0]
    assert (
        action.reason
        == f"image changes from debian-12-base {rack['image']['sha256'][:12]} to debian-12-base {'f' * 12}"
    )
    assert str(action).startswith("undeploy lab-r01-t01 (destructive): image changes")


def replaced(switch: str, old: str, new: str) -> Edit:
    def edit(inputs: dict[str, Any]) -> None:
        config = inputs["switches"][switch]["config"]
        assert old in config
        inputs["switches"][switch]["config"] = config.replace(old, new)

    return edit


SWITCH_CASES: dict[str, tuple[Edit, list[str]]] = {
    "a host that may announce more": (
        replaced(
            "lab-leaf1",
            "permit 10.244.4.0/24\n",
            "permit 10.244.4.0/24\nip prefix-list lab-r01-t04 seq 15 permit 10.255.2.1/32\n",
        ),
        [],
    ),
    "other BFD timers": (replaced("lab-leaf1", "transmit-interval 100", "transmit-interval 200"), []),
    "another AS number": (
        replaced("lab-leaf1", "router bgp 65103", "router bgp 65150"),
        [f"lab-leaf1:swp{n}" for n in (1, 2, 3, 4, 51, 52)],
    ),
    "a neighbour that goes": (
        replaced("lab-leaf1", " neighbor swp4 interface peer-group HOSTS\n", ""),
        ["lab-leaf1:swp4"],
    ),
    "a neighbour that comes": (
        replaced("lab-leaf1", " neighbor swp51 ", " neighbor swp5 interface peer-group HOSTS\n neighbor swp51 "),
        [],
    ),
    "a group that lets in others": (
        replaced("lab-leaf1", "SPINES remote-as external", "SPINES remote-as internal"),
        ["lab-leaf1:swp51", "lab-leaf1:swp52"],
    ),
    "another edge address": (
        replaced("lab-leaf1", "ip address 10.255.3.0/31", "ip address 10.255.3.8/31"),
        ["lab-leaf1:swp48"],
    ),
}


@pytest.mark.parametrize("case", SWITCH_CASES)
def test_a_change_of_a_switch_names_the_sessions_that_restart(case: str, switches: dict[str, Any]) -> None:
    edit, expected = SWITCH_CASES[case]
    actions = switch_actions(switches, edited(switches, edit))
    assert brief(actions) == ["lab-leaf1 configure"], "no other switch is touched"
    assert list(actions[0].disrupts) == expected
    assert actions[0].details


def test_the_differing_lines_of_a_switch_are_shown_with_their_context(switches: dict[str, Any]) -> None:
    edit = replaced("lab-leaf1", "transmit-interval 100", "transmit-interval 200")
    assert switch_actions(switches, edited(switches, edit))[0].details == (
        "- bfd: transmit-interval 100",
        "+ bfd: transmit-interval 200",
    )


def test_a_new_fabric_configures_all_switches_and_a_switch_that_leaves_is_let_be(switches: dict[str, Any]) -> None:
    assert brief(switch_actions(None, switches)) == [
        f"lab-{name} configure" for name in ("leaf1", "leaf2", "spine1", "spine2")
    ]
    gone = edited(switches, lambda inputs: inputs["switches"].pop("lab-spine2"))
    assert brief(switch_actions(switches, gone)) == ["lab-spine2 nothing"]


PLAYBOOK_CASES: dict[str, tuple[Edit, list[str]]] = {
    "a role's content": (lambda run: run["content"].update({"roles/frr": "4"}), ["roles/frr changes from 3 to 4"]),
    "a variable of all hosts": (
        lambda run: run["inventory"]["all"]["vars"].update(base_domain="other.internal"),
        ["base_domain changes from lab.internal to other.internal"],
    ),
    "a reference": (
        lambda run: run["file_variables"].update(base_ca_certificate="env:CA"),
        ["reference of base_ca_certificate changes from file:.lab/pki/region-ca.crt to env:CA"],
    ),
    "a time limit": (lambda run: run.update(timeout_s=60), []),
}


@pytest.mark.parametrize("case", PLAYBOOK_CASES)
def test_a_playbook_runs_again_for_content_and_for_nothing_else(case: str, run: dict[str, Any]) -> None:
    edit, expected = PLAYBOOK_CASES[case]
    actions = playbook_actions(run, edited(run, edit))
    assert [detail for action in actions for detail in action.details] == expected
    assert all(action.kind is ActionKind.RUN_PLAYBOOK and not action.destructive for action in actions)


def test_a_host_that_comes_goes_or_changes_is_named(run: dict[str, Any]) -> None:
    def edit(inputs: dict[str, Any]) -> None:
        workers = inputs["inventory"]["all"]["children"]["hosts"]["children"]["gpu_worker"]["hosts"]
        workers[T4] = workers.pop("lab-r01-t03")
        workers[T2]["frr_asn"] = 65299

    action = playbook_actions(run, edited(run, edit))[0]
    assert action.details == (
        "lab-r01-t02: frr_asn changes from 65202 to 65299",
        "host lab-r01-t03 is gone",
        "host lab-r01-t04 is new",
    )
    assert action.reason == "lab-r01-t02: frr_asn changes from 65202 to 65299, and 2 more"


AFTER: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "the same deployments": ({"deployments": {T1: "a", T2: "b"}}, {"deployments": {T1: "a", T2: "b"}}, []),
    "a host deployed anew": (
        {"deployments": {T1: "a", T2: "b"}},
        {"deployments": {T1: "a", T2: "c"}},
        [f"done before: {T2} deployed anew"],
    ),
    "hosts from before there were marks": ({"substrate": {"lab-r01": {}}}, {"deployments": {}}, []),
    "one of them deployed anew": ({}, {"deployments": {T2: "c"}}, [f"done before: {T2} deployed anew"]),
    "a host that the run is not about": ({}, {"deployments": {T4: "d"}}, []),
    "a host that is down, and comes back with another mark": ({"deployments": {T1: "a"}}, {"deployments": {}}, []),
    "another fabric": ({"fabric": {"a": 1}}, {"fabric": {"a": 2}}, ["done before: fabric differs"]),
}


@pytest.mark.parametrize("case", AFTER)
def test_a_playbook_runs_again_for_a_host_that_was_deployed_anew(case: str, run: dict[str, Any]) -> None:
    before, now, expected = AFTER[case]
    actions = playbook_actions({**run, "after": before}, {**run, "after": now})
    assert [detail for action in actions for detail in action.details] == expected


def test_a_run_that_is_no_longer_described_undoes_nothing(run: dict[str, Any]) -> None:
    assert brief(playbook_actions(None, run)) == ["bootstrap.yml run-playbook"]
    assert brief(playbook_actions(run, None)) == ["bootstrap.yml nothing"]
