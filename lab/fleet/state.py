"""What can change of an endpoint. One that nobody has asked yet has none of it, and costs no memory for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import TypeAdapter


class Deed(StrEnum):
    """What is counted: what cannot be taken back, or interrupts somebody."""

    POWER_ON = "power_on"
    POWER_OFF = "power_off"
    POWER_CYCLE = "power_cycle"
    AUX_CYCLE = "aux_cycle"
    BMC_RESET = "bmc_reset"
    FACTORY_RESET = "factory_reset"
    FLASH = "flash"
    """Of one component to one version, counted when its writing begins."""
    PASSWORD = "password_change"  # noqa: S105  # the name of a count
    BIOS = "bios_set"
    SECURE_BOOT = "secure_boot_set"
    BOOT = "boot_set"
    MODE = "dpu_mode_set"


class End(StrEnum):
    """How a task is going to end, or has ended."""

    COMPLETED = "Completed"
    STUCK = "Stuck"
    EXCEPTION = "Exception"


@dataclass(slots=True)
class Account:
    """An account of a BMC."""

    digest: str
    """Of its password."""
    role: str
    must_change: bool = False
    failures: int = 0
    failed_at: float = 0
    locked_until: float = 0


@dataclass(slots=True)
class Session:
    """A login."""

    token: str
    user: str
    used_at: float


@dataclass(slots=True)
class Task:
    """A push of firmware. What state it is in follows from the time."""

    began: float
    pending_s: float
    running_s: float
    versions: dict[str, str]
    """Component -> version."""
    end: End
    is_settled: bool = False
    """Whether its end has had its effect."""
    ended: float | None = None
    """When it was ended before its time."""


@dataclass(slots=True)
class Boot:
    """How the next boot goes."""

    target: str = "None"
    enabled: str = "Disabled"
    order: list[str] | None = None
    pending_order: list[str] | None = None


@dataclass(slots=True)
class State:
    """All that is known of an endpoint beyond its description."""

    requests: int = 0
    on: bool = False
    changing_until: float = 0
    booted_at: float = 0
    unreachable_until: float = 0
    seen_outage: float = 0
    """End of the last loss of power that has had its effect."""
    accounts: dict[str, Account] = field(default_factory=dict[str, Account])
    sessions: dict[str, Session] = field(default_factory=dict[str, Session])
    subscriptions: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    tasks: dict[str, Task] = field(default_factory=dict[str, Task])
    made: dict[str, int] = field(default_factory=dict[str, int])
    """How many of each sort were ever made: their names, and their draws, are never used again."""
    firmware: dict[str, str] = field(default_factory=dict[str, str])
    staged: dict[str, str] = field(default_factory=dict[str, str])
    bios: dict[str, str | bool] = field(default_factory=dict[str, str | bool])
    bios_pending: dict[str, str | bool] = field(default_factory=dict[str, str | bool])
    secure_boot: bool = True
    secure_boot_pending: bool | None = None
    boot: Boot = field(default_factory=Boot)
    policy: str = "LastState"
    lockout_threshold: int = 4
    lockout_s: int = 600
    mode: str = "DpuMode"
    rshim: bool = False
    ledger: dict[str, int] = field(default_factory=dict[str, int])

    def next(self, sort: str) -> int:
        """The number of the next thing of a sort, counted from 1."""
        self.made[sort] = self.made.get(sort, 0) + 1
        return self.made[sort]


_FORM: TypeAdapter[State] = TypeAdapter(State)


def to_json(state: State) -> bytes:
    return _FORM.dump_json(state, exclude_defaults=True)


def from_json(data: bytes) -> State:
    return _FORM.validate_json(data)
