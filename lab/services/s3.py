"""Object store of the region: versitygw over TLS on a directory, with versions of objects and accounts beside it."""

from __future__ import annotations

from lab import shell
from lab.context import Lab
from lab.services import pki, secrets
from lab.services.service import Service, accepts


def service(lab: Lab) -> Service:
    """The S3 gateway on the services address."""
    directory = lab.home.services / "s3"
    certificate, key = pki.certificate(lab.home, "services")
    address, port = lab.wiring.services.address, lab.wiring.services.s3
    data, versions, accounts = (directory / name for name in ("data", "versions", "accounts"))
    credentials = secrets.read(lab.home, "s3")
    return Service(
        name="s3",
        title="object store (versitygw)",
        argv=(
            shell.program("versitygw", lab.home.tools),
            *("--port", f"{address}:{port}", "--cert", certificate, "--key", key, "--quiet"),
            # Its cache of accounts (1.7.0) can keep a key for two minutes that was changed or removed.
            *("--iam-dir", accounts, "--iam-cache-disable"),
            *("posix", "--versioning-dir", versions, data),
        ),
        directories=(data, versions, accounts),
        depends_on=(certificate, key),
        # In the environment: a command line can be read by every user of the machine.
        env={"ROOT_ACCESS_KEY": credentials["access_key"], "ROOT_SECRET_KEY": credentials["secret_key"]},
        listens=((address, port),),
        ready=lambda: accepts(address, port),
    )
