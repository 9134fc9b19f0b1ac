"""An authority of a test's own, as a region has one."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from components.clients.certificates import issue


def write_authority(folder: Path, stem: str = "ca") -> None:
    """`STEM.crt` and `STEM.key`, new ones."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"test {stem}")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=10))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / f"{stem}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    path = folder / f"{stem}.key"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    path.chmod(0o600)


def secret_data(folder: Path, names: Sequence[str]) -> dict[str, str]:
    """What a TLS Secret holds: a certificate for these names and its key, by the authority `ca` of the folder."""
    pair = issue(folder, ca_certificate="file:ca.crt", ca_key="file:ca.key", names=names, days=2)
    data = {"tls.crt": pair.certificate, "tls.key": pair.key}
    return {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
