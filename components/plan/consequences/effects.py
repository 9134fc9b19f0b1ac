"""What a playbook does to what is in service, by the roles whose content or variables differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from components.plan.actions.action import Inputs, part
from components.plan.actions.playbooks import host_variables
from components.plan.inventory import ROLES_OF_VARIABLES, family

INTERRUPTING: Mapping[str, str] = MappingProxyType(
    {
        "containerd": "containerd restarts: pods go on, new ones wait for some seconds",
        "dra_driver": "the GPU driver's plugin restarts: new claims of GPUs wait for some seconds",
        "envoy_gateway": "the gateway's pods are made anew, one after the other",
        "frr": "FRR reloads or restarts: the host's BGP sessions may flap",
        "keda_http_add_on": "the interceptor's pods are made anew: requests of sleeping services wait",
        "kubernetes": "the kubelet restarts: pods go on; a new version of the control plane is applied by `kubeadm upgrade`",
        "kueue": "Kueue's pod is made anew: jobs that wait in a queue wait for some seconds more",
        "metrics": "the metering's pod is made anew: some seconds are not measured",
        "nvidia_driver": "the driver's packages change: the loaded driver stays until the host is rebooted",
    }
)
"""Role -> what those notice who use the host. Roles that are not here are not noticed."""


def effects_of_run(old: Inputs | None, new: Inputs | None) -> tuple[str, ...]:
    """Of one run on hosts that are in service; a first run meets nobody."""
    if old is None or new is None:
        return ()
    return tuple(INTERRUPTING[role] for role in sorted(changed_roles(old, new)) if role in INTERRUPTING)


def changed_roles(old: Inputs, new: Inputs) -> frozenset[str]:
    """Roles whose files, or whose variables on a host that stays, differ."""
    before, after = part(old, "content"), part(new, "content")
    files = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    named = {name.removeprefix("roles/") for name in files if name.startswith("roles/")}
    used = {name.removeprefix("roles/") for name in after if name.startswith("roles/")}
    readers = {role for variable in changed_variables(old, new) for role in _readers(variable)}
    return frozenset(named | (readers & used))


def changed_variables(old: Inputs, new: Inputs) -> frozenset[str]:
    """Variables with another value on all hosts, or on one that was there before and still is."""
    return frozenset(_changed(old, new))


def _changed(old: Inputs, new: Inputs) -> Iterator[str]:
    for keys in (("inventory", "all", "vars"), ("variables",), ("file_variables",), ("secret_variables",)):
        yield from _differing(part(old, *keys), part(new, *keys))
    before, after = host_variables(old), host_variables(new)
    for host in before.keys() & after.keys():
        yield from _differing(before[host], after[host])


def _differing(old: Inputs, new: Inputs) -> Iterator[str]:
    return (key for key in {*old, *new} if old.get(key) != new.get(key))


def _readers(variable: str) -> tuple[str, ...]:
    known = any(variable.startswith(f"{each}_") for each in ROLES_OF_VARIABLES)
    return ROLES_OF_VARIABLES[family(variable)] if known else ()
