"""A real object store (versitygw) on loopback for the tests of a module."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from components.clients.s3 import S3Access

ROOT = Path(__file__).parents[2]
TOOLS = os.pathsep.join([str(ROOT / ".venv" / "bin"), str(ROOT / ".tools" / "bin"), os.environ["PATH"]])


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of its own for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "object store of a test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "store.crt", folder / "store.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@pytest.fixture(scope="module")
def access(tmp_path_factory: pytest.TempPathFactory) -> Generator[S3Access]:
    program = shutil.which("versitygw", path=TOOLS)
    if program is None:
        pytest.skip("versitygw is not built: make tools")
    folder = tmp_path_factory.mktemp("store")
    issued, key = certificate(folder)
    port = _free_port()
    for name in ("data", "versions", "accounts"):
        (folder / name).mkdir()
    serve = ["--port", f"127.0.0.1:{port}", "--cert", str(issued), "--key", str(key), "--quiet"]
    accounts = ["--iam-dir", str(folder / "accounts"), "--iam-cache-disable"]
    store = ["posix", "--versioning-dir", str(folder / "versions"), str(folder / "data")]
    keys = {"ROOT_ACCESS_KEY": "operator", "ROOT_SECRET_KEY": "of a test"}
    process = subprocess.Popen(
        [program, *serve, *accounts, *store],
        env={**os.environ, **keys},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield S3Access(endpoint=f"https://127.0.0.1:{port}", access_key="operator", secret_key="of a test", ca=issued)
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("versitygw did not come up in 10 s")
