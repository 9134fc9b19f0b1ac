"""The region's certificate authority and the certificates that the lab's servers show.

The authority is made once. A server's certificate is issued again when its names change or its end
is near; clients know only the authority and notice nothing.
"""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab.certificates import builder, private_pem, usage
from lab.errors import LabError
from lab.home import Home, write_atomically
from lab.wiring import Wiring

_AUTHORITY_DAYS = 3650
_SERVER_DAYS = 397
_RENEW_DAYS = 30
_SERVICE_NAMES = ("registry", "ironic", "s3", "apt", "images")


def ensure(home: Home, wiring: Wiring) -> bool:
    """Make or renew what is missing; whether anything was."""
    made = _ensure_authority(home, wiring)
    services = [*(f"{n}.{wiring.domain}" for n in _SERVICE_NAMES), wiring.services.address]
    bmcs = [m.bmc_address for m in wiring.machines]
    made |= _ensure_server(home, "services", services)
    return _ensure_server(home, "bmc", bmcs) | made


def authority(home: Home) -> Path:
    """Certificate that clients trust."""
    return home.pki / "region-ca.crt"


def certificate(home: Home, name: str) -> tuple[Path, Path]:
    """Certificate and private key of the servers called `services` or `bmc`."""
    return home.pki / f"{name}.crt", home.pki / f"{name}.key"


def _ensure_authority(home: Home, wiring: Wiring) -> bool:
    path = authority(home)
    if path.exists() and path.with_suffix(".key").exists():
        return False
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, f"Region {wiring.name}"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{wiring.name} region CA"),
        ]
    )
    unsigned = (
        builder(name, name, key, _AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage(signs_certificates=True), critical=True)
    )
    _write_key(path.with_suffix(".key"), key)
    _write_certificates(path, [unsigned.sign(key, hashes.SHA256())])
    return True


def _ensure_server(home: Home, name: str, names: Sequence[str | ipaddress.IPv4Address]) -> bool:
    path, key_path = certificate(home, name)
    issuer = x509.load_pem_x509_certificate(authority(home).read_bytes())
    wanted = x509.SubjectAlternativeName([x509.DNSName(n) if isinstance(n, str) else x509.IPAddress(n) for n in names])
    if path.exists() and key_path.exists() and _is_good(path, key_path, issuer, wanted):
        return False
    signer = _read_key(authority(home).with_suffix(".key"))
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, str(names[0]))])
    key_identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    unsigned = (
        builder(subject, issuer.subject, key, _SERVER_DAYS)
        .add_extension(wanted, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_identifier), critical=False)
    )
    _write_key(key_path, key)
    _write_certificates(path, [unsigned.sign(signer, hashes.SHA256()), issuer])
    return True


def _is_good(path: Path, key_path: Path, issuer: x509.Certificate, wanted: x509.SubjectAlternativeName) -> bool:
    found = x509.load_pem_x509_certificate(path.read_bytes())
    key = _read_key(key_path)
    try:
        found.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    if found.public_key() != key.public_key():
        return False  # an interrupt came between the two files
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=_RENEW_DAYS)
    return names == wanted and found.not_valid_after_utc > soon


def _read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise LabError(f"{path} is not a key that the lab made", remedy="python -m lab down --purge, then up")
    return key


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    write_atomically(path, private_pem(key).decode(), 0o600)


def _write_certificates(path: Path, chain: Sequence[x509.Certificate]) -> None:
    write_atomically(path, "".join(c.public_bytes(serialization.Encoding.PEM).decode() for c in chain))
