"""Ironic as a server of the lab: API with TLS and a password, conductor and database in one process."""

from __future__ import annotations

import base64
import json
import os
import ssl
import sys
import urllib.request
from pathlib import Path
from string import Template

import bcrypt

from lab import shell
from lab.context import Lab
from lab.errors import LabError
from lab.home import write_atomically
from lab.images import ramdisk, store
from lab.services import pki, secrets
from lab.services.service import Service

_TEMPLATE = Path(__file__).with_name("ironic.conf.in")
_BCRYPT_ROUNDS = 6
"""The passwords are random and long: more rounds would protect nothing and slow each new client down."""


def service(lab: Lab, report: store.Report = store.silent) -> Service:
    """Ironic, with a database that is made when it is first needed."""
    directory = lab.home.services / "ironic"
    image = ramdisk.build(lab.home.logs / "ramdisk.log", report)
    config, database, password_file = (directory / name for name in ("ironic.conf", "ironic.sqlite", "htpasswd"))
    certificate, key = pki.certificate(lab.home, "services")
    isolinux, ldlinux = image.loader
    at = lab.wiring.services
    values = {
        "address": at.address,
        "port": at.ironic,
        "directory": directory,
        "database": database,
        "log": lab.home.logs / "ironic.log",
        "password_file": password_file,
        "certificate": certificate,
        "key": key,
        "authority": pki.authority(lab.home),
        "kernel": image.kernel,
        "ramdisk": image.initrd,
        "images": image.initrd.parent,
        "isolinux": isolinux,
        "ldlinux": ldlinux,
        "http_root": lab.home.http,
        "http_url": f"http://{at.address}:{at.images}",
    }
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)  # its database holds the BMCs' passwords
    _ensure_password(password_file, secrets.read(lab.home, "ironic"))
    text = Template(_TEMPLATE.read_text()).substitute(values)
    _ensure_database(lab, directory, database, text)
    return Service(
        name="ironic",
        title="Ironic",
        argv=(shell.program("ironic", Path(sys.executable).parent), "--config-file", config),
        files={config: text},
        directories=(directory / "tmp", directory / "images", directory / "master_images", lab.home.http),
        depends_on=(certificate, key, pki.authority(lab.home), password_file),
        env=_environment(),
        listens=((lab.wiring.services.address, lab.wiring.services.ironic),),
        ready=lambda: has_conductor(lab),
        timeout_s=60,
    )


def has_conductor(lab: Lab) -> bool:
    """Whether the API answers and a conductor with the redfish driver has registered."""
    at = lab.wiring.services
    credentials = secrets.read(lab.home, "ironic")
    token = base64.b64encode(f"{credentials['username']}:{credentials['password']}".encode()).decode()
    request = urllib.request.Request(
        f"https://{at.address}:{at.ironic}/v1/drivers", headers={"Authorization": f"Basic {token}"}
    )
    context = ssl.create_default_context(cafile=str(pki.authority(lab.home)))
    with urllib.request.urlopen(request, timeout=5, context=context) as answer:  # noqa: S310
        return any(driver["name"] == "redfish" for driver in json.load(answer)["drivers"])


def _environment() -> dict[str, str]:
    # Ironic runs mkisofs and qemu-img, which may lie in different directories.
    return {"PATH": os.environ["PATH"], "HOME": str(Path.home()), "LC_ALL": "C.UTF-8"}


def _ensure_password(path: Path, credentials: dict[str, str]) -> None:
    """The API's password file, written again only if the password is another."""
    user, password = credentials["username"], credentials["password"].encode()
    if path.exists():
        known, _, hashed = path.read_text().strip().partition(":")
        if known == user and bcrypt.checkpw(password, hashed.encode()):
            return
    hashed = bcrypt.hashpw(password, bcrypt.gensalt(_BCRYPT_ROUNDS)).decode()
    write_atomically(path, f"{user}:{hashed}\n", 0o600)


def _ensure_database(lab: Lab, directory: Path, database: Path, config: str) -> None:
    """A database with Ironic's tables. It is made beside its place, so that a killed run leaves no half of it."""
    if database.exists():
        return
    draft, draft_config = directory / "draft.sqlite", directory / "draft.conf"
    draft.unlink(missing_ok=True)
    draft_config.write_text(config.replace(str(database), str(draft)))
    log = lab.home.logs / "ironic-dbsync.log"
    program = shell.program("ironic-dbsync", Path(sys.executable).parent)
    try:
        shell.run(program, "--config-file", draft_config, "create_schema", log=log, env=_environment())
    except shell.CommandError as error:
        raise LabError("Ironic's database could not be made", found=error.output[-600:], remedy=f"read {log}") from None
    draft.rename(database)
    draft_config.unlink()
