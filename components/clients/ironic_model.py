"""What Ironic tells of a machine, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

NODE_FIELDS = (
    "uuid",
    "name",
    "provision_state",
    "target_provision_state",
    "provision_updated_at",
    "power_state",
    "maintenance",
    "maintenance_reason",
    "fault",
    "last_error",
    "reservation",
    "instance_info",
    "extra",
)


@dataclass(frozen=True, kw_only=True)
class Node:
    """A machine as Ironic sees it."""

    uuid: str
    name: str
    provision_state: str
    """`available`, `wait call-back`, `active`, ... in Ironic's words."""
    target_provision_state: str | None = None
    provision_updated_at: datetime | None = None
    power_state: str | None = None
    """`power on`, `power off`, or None while unknown."""
    maintenance: bool = False
    maintenance_reason: str | None = None
    fault: str | None = None
    """Set when Ironic itself put the node in maintenance."""
    last_error: str | None = None
    reservation: str | None = None
    """Conductor that holds the node just now. A failure is shown before its reason is written."""
    instance_info: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What is deployed, or being deployed; emptied by Ironic when the instance is torn down."""
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the operator noted; kept as long as the node."""

    @classmethod
    def from_api(cls, data: Mapping[str, Any]) -> Node:
        """From Ironic's JSON."""
        updated = data.get("provision_updated_at")
        return cls(
            uuid=data["uuid"],
            name=data.get("name") or data["uuid"],
            provision_state=data["provision_state"],
            target_provision_state=data.get("target_provision_state"),
            provision_updated_at=datetime.fromisoformat(updated) if updated else None,
            power_state=data.get("power_state"),
            maintenance=bool(data.get("maintenance")),
            maintenance_reason=data.get("maintenance_reason"),
            fault=data.get("fault"),
            last_error=data.get("last_error"),
            reservation=data.get("reservation"),
            instance_info=data.get("instance_info") or {},
            extra=data.get("extra") or {},
        )


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """What the agent found in a machine."""

    serial: str | None
    macs: frozenset[str]
    """Lower-case."""

    @classmethod
    def from_api(cls, data: Mapping[str, Any]) -> Inventory:
        """From the agent's inventory."""
        vendor = cast("dict[str, Any]", data.get("system_vendor") or {})
        interfaces = cast("list[dict[str, Any]]", data.get("interfaces") or [])
        return cls(
            serial=vendor.get("serial_number"),
            macs=frozenset(i["mac_address"].lower() for i in interfaces if i.get("mac_address")),
        )
