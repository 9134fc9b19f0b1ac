"""How a fleet behaves: a scenario file, checked strictly and as a whole.

Times are lognormal by their median and 99th percentile, in seconds. `time.compression` shortens what machines do
(boot, flash, reset, lockout), not how long a BMC takes to answer a request.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML, YAMLError

from lab.fleet.chance import Lognormal
from lab.fleet.errors import FleetError, faults
from lab.fleet.kinds import Kind

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1, strict=True)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Spread(_Strict):
    """A lognormal time."""

    p50: Positive
    p99: Positive

    @model_validator(mode="after")
    def _in_order(self) -> Spread:
        if self.p99 < self.p50:
            raise ValueError("p99 is below p50")
        return self

    @property
    def spread(self) -> Lognormal:
        return Lognormal(self.p50, self.p99)


class Capacity(_Strict):
    """How much a BMC does at a time. More waits in line, and more than that is refused with 503."""

    workers: Count = 4
    queue: Annotated[int, Field(ge=0, strict=True)] = 64


class Conduct(_Strict):
    """What is common to all endpoints of a kind."""

    latency_s: Spread = Spread(p50=0.08, p99=0.6)
    flash_s: Spread = Spread(p50=600, p99=1500)
    """Of one push, whatever it holds: components are written side by side."""
    capacity: Capacity = Capacity()


class Durations(_Strict):
    """What machines take, before compression."""

    power_on: Spread = Spread(p50=5, p99=12)
    power_off: Spread = Spread(p50=8, p99=30)
    bmc_reset: Spread = Spread(p50=90, p99=180)
    aux_cycle: Spread = Spread(p50=150, p99=300)
    """Until the BMC answers again."""
    task_pending: Spread = Spread(p50=5, p99=20)


class Time(_Strict):
    """Simulated seconds to one of the wall clock."""

    compression: Positive = 1


class _Fault(_Strict):
    """Whom it hits: an exact share of all endpoints of the kinds, chosen by the seed, or those named."""

    of: tuple[Kind, ...] = tuple(Kind)
    share: Share = 0
    endpoints: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _says_whom(self) -> _Fault:
        if bool(self.share) == bool(self.endpoints):
            raise ValueError("give either share or endpoints")
        return self


class Slow(_Fault):
    """Answers, but takes long."""

    fault: Literal["slow"]
    factor: Annotated[float, Field(gt=1)]


class Flapping(_Fault):
    """Answers some requests, then none for some."""

    fault: Literal["flapping"]
    up_requests: Count
    down_requests: Count


class Errors(_Fault):
    """Refuses a part of the requests with a server error, without doing them."""

    fault: Literal["errors"]
    rate: Share
    statuses: tuple[Annotated[int, Field(ge=500, le=599, strict=True)], ...] = (500, 503)


class Dropped(_Fault):
    """Closes the connection of a part of the requests before doing them."""

    fault: Literal["dropped"]
    rate: Share


class AnswerLost(_Fault):
    """Does a part of the requests, and closes the connection instead of answering."""

    fault: Literal["answer_lost"]
    rate: Share


class StuckTask(_Fault):
    """The first `times` firmware tasks stand still at `percent`, until the BMC is reset."""

    fault: Literal["stuck_task"]
    times: Count = 1
    percent: Annotated[int, Field(ge=0, le=99, strict=True)] = 40


class FailedTask(_Fault):
    """The first `times` firmware tasks end in an exception."""

    fault: Literal["failed_task"]
    times: Count = 1


class WrongSerial(_Fault):
    """Shows another serial than the one delivered: the wrong tray is in the slot."""

    fault: Literal["wrong_serial"]


class WrongPassword(_Fault):
    """Has another factory password than the one delivered."""

    fault: Literal["wrong_password"]


class Dead(_Fault):
    """Answers nothing, from the request `after_requests` on: by a reset, or by silence."""

    fault: Literal["dead"]
    after_requests: Annotated[int, Field(ge=0, strict=True)] = 0
    by: Literal["reset", "silence"] = "reset"


class Leak(_Fault):
    """A leak detector reports moisture."""

    fault: Literal["leak"]


Fault = Annotated[
    Slow
    | Flapping
    | Errors
    | Dropped
    | AnswerLost
    | StuckTask
    | FailedTask
    | WrongSerial
    | WrongPassword
    | Dead
    | Leak,
    Field(discriminator="fault"),
]


class Outage(_Strict):
    """A rack without power: none of its endpoints answers, and what they did is lost."""

    rack: str
    at_s: Annotated[float, Field(ge=0)]
    """Simulated seconds after the fleet's first start."""
    for_s: Positive


class Scenario(_Strict):
    """A whole scenario. An empty file is a fleet in good order."""

    seed: Annotated[int, Field(strict=True)] = 1
    time: Time = Time()
    kinds: dict[Kind, Conduct] = {}
    durations: Durations = Durations()
    faults: tuple[Fault, ...] = ()
    rack_power_losses: tuple[Outage, ...] = ()
    factory_password_must_change: bool = True
    """Whether the first login must change the password, as Redfish's `PasswordChangeRequired` has it."""

    def conduct(self, kind: Kind) -> Conduct:
        return self.kinds.get(kind) or Conduct()


def load(path: Path | None) -> Scenario:
    """Read a scenario; all its faults come in one error."""
    if path is None:
        return Scenario()
    try:
        yaml: Any = YAML(typ="safe", pure=True)
        return Scenario.model_validate(yaml.load(path.read_text(encoding="utf-8")) or {})
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise FleetError(f"{path} cannot be read", found=" ".join(str(error).split())) from error
    except ValidationError as error:
        raise FleetError(
            f"{path} is no scenario", details=faults(error), remedy="docs/guides/fleet.md shows one"
        ) from error
