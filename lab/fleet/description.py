"""The fleet's description, `fleet.json`: who stands where, with which serial, MACs, address and factory password.

Its form is that of a region's list of received hardware, `{rack: {slot: {serial, macs, bmc_mac, ...}}}`, with the
other kinds of endpoints beside the slots, and the factory passwords. `lab.fleet.describe.received` is that list alone.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from lab.errors import LabError
from lab.fleet.errors import FleetError, faults
from lab.fleet.kinds import Kind

_SHOWN = 20
Mac = Annotated[str, Field(pattern=r"^([0-9a-f]{2}:){5}[0-9a-f]{2}$")]


class Entry(BaseModel):
    """One endpoint as it was delivered."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    serial: Annotated[str, Field(min_length=1)]
    macs: Annotated[tuple[Mac, ...], Field(description="of its network cards, in the order of the hardware's profile")]
    bmc_mac: Mac
    bmc_address: ipaddress.IPv4Address
    bmc_port: Annotated[int, Field(ge=1, le=65535, strict=True)]
    bmc_username: Annotated[str, Field(min_length=1)]
    bmc_password: Annotated[str, Field(min_length=1)]


Description = dict[str, dict[str, Entry]]
"""Rack -> position -> endpoint."""
_FORM: TypeAdapter[Description] = TypeAdapter(Description)


def load(path: Path) -> Description:
    """Read a description; all its faults come in one error."""
    try:
        found = _FORM.validate_json(path.read_bytes())
    except OSError as error:
        raise FleetError(f"{path} cannot be read", found=str(error), remedy="python -m lab.fleet describe") from error
    except ValidationError as error:
        raise _refused(path, faults(error)) from error
    if problems := _twice(found):
        raise _refused(path, problems)
    return found


def dump(description: Description) -> str:
    """The description as the text of its file."""
    return _FORM.dump_json(description, indent=1).decode() + "\n"


def _twice(description: Description) -> list[str]:
    every = [(f"{rack}/{place}", e) for rack, there in description.items() for place, e in there.items()]
    by_address: dict[object, list[str]] = {}
    for name, entry in every:
        by_address.setdefault((entry.bmc_address, entry.bmc_port), []).append(name)
    problems = [f"{names[1]}: has the address of {names[0]}" for names in by_address.values() if len(names) > 1]
    serials = Counter((e.kind, e.serial) for _, e in every)
    problems += [f"{name}: serial {e.serial} stands twice" for name, e in every if serials[e.kind, e.serial] > 1]
    ports = {e.bmc_port for _, e in every}
    if len(ports) > 1:
        problems.append(f"bmc_port: one socket serves all endpoints, so they share a port; found {sorted(ports)[:5]}")
    return problems


def _refused(path: Path, problems: list[str]) -> LabError:
    more = [f"and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
    return FleetError(
        f"{path} does not describe a fleet",
        details=[*problems[:_SHOWN], *more],
        remedy="write it anew with python -m lab.fleet describe, or mend the lines above",
    )
