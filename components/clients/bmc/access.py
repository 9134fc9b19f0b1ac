"""What opens the BMCs of a rack's trays, from the region's reference to it.

Owns that the reference may name one login for all (a JSON file, or an environment variable) or a folder as the
bring-up fills it (`passwords.py`): `RACK.json` with a login for each endpoint. A rack that was not brought up here
may have a file of its own there with one login for all of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr, TypeAdapter, ValidationError

from components.clients.redaction import register
from components.clients.secrets import Credentials, SecretError, credentials, reference_path, resolve
from components.errors import Problem
from components.spec.derive import host_name


class _Login(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    username: str
    password: SecretStr


_FORM: TypeAdapter[_Login | dict[str, _Login]] = TypeAdapter(_Login | dict[str, _Login])


def tray_credentials(project: Path, reference: str, rack: str, trays: Collection[str]) -> Mapping[str, Credentials]:
    """Host name of a tray -> login of its BMC. Raises SecretError, naming every tray that has none."""
    if not reference.startswith("file:") or not reference_path(project, reference).is_dir():
        return dict.fromkeys(trays, credentials(project, reference))
    file = f"{reference}/{rack}.json"
    if not reference_path(project, file).exists():
        raise _refused(file, "the rack has no logins here", "`region up REGION --fleet delivered:FOLDER` makes them")
    try:
        logins = _FORM.validate_json(resolve(project, file))
    except ValidationError:  # what it says would show the content
        raise _refused(file, "does not hold logins of BMCs", "bring the file back from your backup") from None
    if isinstance(logins, _Login):
        return dict.fromkeys(trays, _credentials(logins))
    places = {name.removeprefix(f"{rack}/"): login for name, login in logins.items()}
    known = {host_name(rack, int(place)): login for place, login in places.items() if place.isdigit()}
    if missing := sorted(set(trays) - known.keys()):
        raise _refused(file, "trays have no login here", "bring the rack up again", ", ".join(missing))
    return {name: _credentials(known[name]) for name in trays}


def _credentials(login: _Login) -> Credentials:
    return Credentials(username=login.username, password=register(login.password.get_secret_value()))


def _refused(path: str, message: str, remedy: str, found: str | None = None) -> SecretError:
    problem = Problem(path=path, message=message, found=found, remedy=remedy, rule="secret")
    return SecretError("BMCs cannot be opened", [problem])
