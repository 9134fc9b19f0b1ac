"""The fleet's certificate authority and its certificates.

Clients reach a BMC by its address, so each certificate carries addresses. One for all endpoints would be 100 kB in
every handshake, one for each would be 17,750 keys: there is one certificate for a rack, made when a client first
comes to that rack.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab.certificates import builder, private_pem, usage

_DAYS = 397


class Authority:
    """Signs the racks' certificates; kept in a directory, so that a restarted fleet is trusted on."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.certificate = directory / "ca.crt"
        self._directory = directory
        self._contexts: dict[str, ssl.SSLContext] = {}
        key_file = directory / "ca.key"
        if self.certificate.exists() and key_file.exists():
            key = serialization.load_pem_private_key(key_file.read_bytes(), None)
            assert isinstance(key, ec.EllipticCurvePrivateKey)  # noqa: S101  # written below
            self._key = key
        else:
            self._key = ec.generate_private_key(ec.SECP256R1())
            _write(key_file, private_pem(self._key))
            _write(self.certificate, self._self_signed().public_bytes(serialization.Encoding.PEM), 0o644)
        self._issuer = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        self._server_key = ec.generate_private_key(ec.SECP256R1())

    def context(self, rack: str, addresses: Sequence[str]) -> ssl.SSLContext:
        """TLS for the endpoints of a rack, which have these addresses."""
        found = self._contexts.get(rack)
        if found is None:
            found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            found.minimum_version = ssl.TLSVersion.TLSv1_2
            found.num_tickets = 0  # Python's clients do not resume
            path = self._directory / "rack.pem"
            chain = self._issue(rack, addresses).public_bytes(serialization.Encoding.PEM)
            _write(path, private_pem(self._server_key) + chain)
            found.load_cert_chain(path)
            path.unlink()  # OpenSSL takes files; this one has been read
            self._contexts[rack] = found
        return found

    def _issue(self, rack: str, addresses: Sequence[str]) -> x509.Certificate:
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(a)) for a in addresses])
        authority = self._issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        unsigned = (
            builder(_name(f"BMCs of {rack}"), self._issuer.subject, self._server_key, _DAYS)
            .add_extension(names, critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority), critical=False)
        )
        return unsigned.sign(self._key, hashes.SHA256())

    def _self_signed(self) -> x509.Certificate:
        name = _name("Simulated fleet CA")
        unsigned = (
            builder(name, name, self._key, _DAYS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage(signs_certificates=True), critical=True)
        )
        return unsigned.sign(self._key, hashes.SHA256())


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _write(path: Path, data: bytes, mode: int = 0o600) -> None:
    draft = path.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(data)
    draft.replace(path)
