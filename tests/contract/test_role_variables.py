"""The inventory and the roles agree on names: the typo guard that Ansible lacks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from components.plan import RegionPlan
from components.plan.inventory import ROLES_OF_VARIABLES, family, variable_names

ROLES = Path(__file__).parents[2] / "playbooks" / "roles"
CALLED_BY_ROLES = {"kubernetes_apply", "edge_dns", "usage_timer"}
"""Roles with variables of their own: those that only other roles call, and those of playbooks/ops, which run on hosts of no region."""


def options_of(role: str) -> dict[str, dict[str, Any]]:
    """Every option of any entry point of a role."""
    specs = YAML(typ="safe").load((ROLES / role / "meta" / "argument_specs.yml").read_text())["argument_specs"]
    return {name: option for entry in specs.values() for name, option in entry.get("options", {}).items()}


def test_every_variable_that_is_emitted_is_an_option_of_the_role_that_gets_it(lab_plan: RegionPlan) -> None:
    stray = {
        name
        for name in variable_names(lab_plan)
        if not any(name in options_of(role) for role in ROLES_OF_VARIABLES[family(name)])
    }
    assert stray == set()


def test_every_option_that_a_role_requires_is_emitted(lab_plan: RegionPlan) -> None:
    emitted = variable_names(lab_plan)
    missing = {
        f"{role.name}: {name}"
        for role in ROLES.iterdir()
        if role.name not in CALLED_BY_ROLES
        for name, option in options_of(role.name).items()
        if option.get("required") and name not in emitted
    }
    assert missing == set()


def test_every_role_that_playbooks_run_has_its_variables(lab_plan: RegionPlan) -> None:
    known = {role for roles in ROLES_OF_VARIABLES.values() for role in roles}
    assert {role.name for role in ROLES.iterdir()} - CALLED_BY_ROLES == known
