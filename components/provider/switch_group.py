"""The inputs of a SwitchConfig resource, checked and read. Pure; nothing here reaches a switch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, cast

from components.engine.switch import Desired
from components.engine.transaction import MARGIN_S, Timing
from components.errors import Problem
from components.plan.actions.switches import FRR
from components.plan.switch_text import neighbours

_SSH_KEYS = ("user", "private_key", "known_hosts")


@dataclass(frozen=True, kw_only=True)
class SwitchGroup:
    """What the resource says, typed."""

    addresses: Mapping[str, str]
    systems: Mapping[str, str]
    """What runs on each: frr, cumulus or sonic."""
    desired: Mapping[str, Desired]
    ssh: Mapping[str, str]
    timing: Timing


def read_group(inputs: Mapping[str, Any]) -> SwitchGroup:
    """Inputs that `group_problems` has found good."""
    switches = cast("dict[str, dict[str, Any]]", inputs["switches"])
    return SwitchGroup(
        addresses={name: s["address"] for name, s in switches.items()},
        systems={name: str(s.get("os", FRR)) for name, s in switches.items()},
        desired={name: _desired(s) for name, s in switches.items()},
        ssh={key: inputs["ssh"][key] for key in _SSH_KEYS},
        timing=Timing(confirm_in_s=float(inputs["confirm_in_s"]), settle_s=float(inputs["settle_s"])),
    )


def _desired(switch: Mapping[str, Any]) -> Desired:
    return Desired(
        config=switch["config"],
        expect_up=frozenset(switch.get("expect_up", ())),
        may_be_down=frozenset(switch.get("may_be_down", ())),
        peers={port: (far[0], far[1]) for port, far in switch.get("peers", {}).items()},
    )


def group_problems(inputs: Mapping[str, Any]) -> list[Problem]:
    """Everything that is wrong with the inputs."""
    problems = [
        Problem(path=f"ssh.{key}", message="is missing", allowed="a user, and secret references")
        for key in _SSH_KEYS
        if not (inputs.get("ssh") or {}).get(key)
    ]
    problems += _timing_problems(inputs)
    switches = cast("dict[str, dict[str, Any]]", inputs.get("switches") or {})
    if not switches:
        problems.append(Problem(path="switches", message="is empty", allowed="at least one switch"))
    for name, switch in switches.items():
        problems += _switch_problems(name, switch)
    return problems


def _timing_problems(inputs: Mapping[str, Any]) -> list[Problem]:
    problems: list[Problem] = []
    for key in ("confirm_in_s", "settle_s"):
        value = inputs.get(key)
        if not isinstance(value, int | float) or value <= 0:
            problems.append(Problem(path=key, message="is not a time", found=str(value), allowed="seconds above 0"))
    if problems:
        return problems
    settle, confirm = float(inputs["settle_s"]), float(inputs["confirm_in_s"])
    if confirm < settle + 2 * MARGIN_S:
        problem = Problem(
            path="confirm_in_s",
            message="leaves no time to look before the switches take themselves back",
            found=f"{confirm:g}",
            allowed=f"at least settle_s + {2 * MARGIN_S:g} = {settle + 2 * MARGIN_S:g}",
        )
        problems.append(problem)
    return problems


def _switch_problems(name: str, switch: Mapping[str, Any]) -> list[Problem]:
    path = f"switches.{name}"
    config = switch.get("config")
    if not isinstance(config, str) or not config.endswith("\n"):
        return [Problem(path=f"{path}.config", message="is not a configuration", allowed="whole lines of text")]
    problems: list[Problem] = []
    try:
        ip_address(str(switch.get("address")))
    except ValueError:
        found = str(switch.get("address"))
        problems.append(Problem(path=f"{path}.address", message="is not an address", found=found, allowed="an IP"))
    known = neighbours(str(switch.get("os", FRR)), config)
    for key in ("expect_up", "may_be_down"):
        unknown = sorted(set(switch.get(key, ())) - known)
        if unknown:
            problem = Problem(
                path=f"{path}.{key}",
                message="names ports that the configuration has no session on",
                found=", ".join(unknown),
                allowed=", ".join(sorted(known)),
            )
            problems.append(problem)
    return problems
