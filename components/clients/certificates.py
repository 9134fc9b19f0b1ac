"""Certificates that the region's authority issues.

Owns the shape of a server's certificate. The authority's key is read when one is issued and at no other time.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from components.clients.redaction import register
from components.clients.secrets import SecretError, resolve
from components.errors import Problem

_COMMON_NAME_LENGTH = 64


@dataclass(frozen=True, kw_only=True)
class Issued:
    """A certificate and its key."""

    certificate: str
    """With its authority's, PEM."""
    key: str = field(repr=False)
    not_after: str
    """ISO 8601, UTC."""


def issue(project: Path, *, ca_certificate: str, ca_key: str, names: Sequence[str], days: int) -> Issued:
    """A new key and a certificate for it, from the authority behind these references. Raises SecretError."""
    authority = resolve(project, ca_certificate, private=False)
    issuer, signer = _authority(ca_certificate, authority), _signer(ca_key, resolve(project, ca_key))
    if signer.public_key() != issuer.public_key():
        raise _refusal(ca_key, f"is not the key of {ca_certificate}")
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _builder(issuer, key, names, days).sign(signer, hashes.SHA256())
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Issued(
        certificate=pem + authority,
        key=register(private.decode()),
        not_after=certificate.not_valid_after_utc.isoformat(),
    )


def is_issued_by(project: Path, certificate: str, ca_certificate: str) -> bool:
    """Whether the authority behind the reference has issued it. Raises SecretError."""
    issuer = _authority(ca_certificate, resolve(project, ca_certificate, private=False))
    try:
        x509.load_pem_x509_certificate(certificate.encode()).verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _builder(
    issuer: x509.Certificate, key: ec.EllipticCurvePrivateKey, names: Sequence[str], days: int
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    usage = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return (
        x509.CertificateBuilder()
        # The subject is for people only, and short; clients read the names.
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:_COMMON_NAME_LENGTH])]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))  # clocks may be a little behind
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=True, **usage), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
    )


def _authority(reference: str, pem: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError:
        raise _refusal(reference, "does not hold a certificate") from None


def _signer(reference: str, pem: str) -> CertificateIssuerPrivateKeyTypes:
    try:
        key = serialization.load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError):
        raise _refusal(reference, "does not hold a private key without a passphrase") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise _refusal(reference, "is not a key on an elliptic curve, as authorities of regions have")
    return key


def _refusal(reference: str, message: str) -> SecretError:
    problem = Problem(path=reference, message=message, allowed="PEM of the region's authority", rule="secret")
    return SecretError("a certificate cannot be issued", [problem])
