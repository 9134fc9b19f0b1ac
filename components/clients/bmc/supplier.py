"""The supplier's list: what was delivered to which place, with the factory passwords.

Owns the reading of its file, which is for its owner only; no value of it is ever shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError

from components.clients.secrets import public_mode
from components.errors import Problem, SpecError
from components.plan.bring_up.compile import Delivered, DeliveredRacks
from components.spec.catalogue.firmware import Endpoint

_SHOWN = 20


class _Listed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    kind: Endpoint
    serial: Annotated[str, Field(min_length=1)]
    macs: tuple[Annotated[str, Field(pattern=r"^([0-9a-f]{2}:){5}[0-9a-f]{2}$")], ...]
    bmc_mac: Annotated[str, Field(pattern=r"^([0-9a-f]{2}:){5}[0-9a-f]{2}$")]
    bmc_address: IPv4Address
    bmc_port: Annotated[int, Field(ge=1, le=65535)] = 443
    bmc_username: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,32}$")]
    bmc_password: Annotated[SecretStr, Field(min_length=1)]


_FORM: TypeAdapter[dict[str, dict[str, _Listed]]] = TypeAdapter(dict[str, dict[str, _Listed]])


def read_supplier(path: Path) -> tuple[DeliveredRacks, Mapping[str, str]]:
    """The list, and endpoint -> factory password. Raises SpecError with every problem."""
    try:
        if mode := public_mode(path):
            raise _refused(
                path,
                [
                    Problem(
                        path=path.name,
                        message="others may read this file, which holds passwords",
                        found=mode,
                        allowed="0o600",
                        remedy=f"chmod 600 {path}",
                        rule="secret",
                    )
                ],
            )
        listed = _FORM.validate_json(path.read_bytes())
    except OSError as error:
        text = f"cannot be read: {error.strerror}"
        raise _refused(path, [Problem(path=path.name, message=text, remedy="name the supplier's list")]) from None
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        problems = [Problem(path="/".join(map(str, e["loc"])), message=e["msg"]) for e in found]
        raise _refused(path, problems) from None
    racks = {
        rack: {
            place: Delivered(
                kind=each.kind,
                serial=each.serial,
                macs=each.macs,
                bmc_mac=each.bmc_mac,
                host=str(each.bmc_address),
                port=each.bmc_port,
                username=each.bmc_username,
            )
            for place, each in there.items()
        }
        for rack, there in listed.items()
    }
    passwords = {
        f"{rack}/{place}": each.bmc_password.get_secret_value()
        for rack, there in listed.items()
        for place, each in there.items()
    }
    return racks, passwords


def _refused(path: Path, problems: list[Problem]) -> SpecError:
    more = [Problem(path=path.name, message=f"and {len(problems) - _SHOWN} more")] if len(problems) > _SHOWN else []
    return SpecError("the supplier's list is not acceptable; nothing has been touched", [*problems[:_SHOWN], *more])
