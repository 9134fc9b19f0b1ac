"""Renders a role's template as Ansible does, with the variables of a host of the lab's plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from components.plan import RegionPlan
from components.plan.inventory import ansible_inventory
from tests.regions import ROOT

ROLES = ROOT / "playbooks" / "roles"


def variables_of(plan: RegionPlan, host: str, role: str, **more: Any) -> dict[str, Any]:
    """What the role sees on this host, weakest first."""
    everything = ansible_inventory(plan)["all"]
    groups = everything["children"]["hosts"]["children"]
    by_host = {name: values for group in groups.values() for name, values in group["hosts"].items()}
    return {
        **_load(ROLES / role / "defaults" / "main.yml"),
        **everything["vars"],
        **by_host[host],
        **_load(ROLES / role / "vars" / "main.yml"),
        "inventory_hostname": host,
        "groups": {**{name: list(group["hosts"]) for name, group in groups.items()}, "hosts": list(by_host)},
        **more,
    }


def evaluate(plan: RegionPlan, host: str, role: str, name: str, **more: Any) -> Any:
    """The value of a role's variable on a host."""
    templar = Templar(DataLoader(), variables=variables_of(plan, host, role, **more))
    return cast("Any", templar).template(trust_as_template("{{ " + name + " }}"))


def render(plan: RegionPlan, host: str, template: str, **more: Any) -> str:
    """`render(plan, host, "frr/frr.conf.j2")`: the file as it will lie on the host."""
    role, _, name = template.partition("/")
    text = (ROLES / role / "templates" / name).read_text()
    templar = Templar(DataLoader(), variables=variables_of(plan, host, role, **more))
    return str(cast("Any", templar).template(trust_as_template(text), preserve_trailing_newlines=True))


def _load(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    return dict(cast("Any", DataLoader()).load_from_file(str(path), trusted_as_template=True) or {})
