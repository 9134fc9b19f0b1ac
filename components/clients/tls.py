"""Which certificate a server shows, and whether it comes from the authority that we trust."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import cast

from components.errors import DeviceError, Problem


class CertificateError(DeviceError):
    """A server does not answer, or shows a certificate that the authority did not issue."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The certificate of a server, after it was verified."""

    issuer: str
    not_after: str
    """As OpenSSL prints it, in GMT."""


async def verified_certificate(
    host: str, port: int, ca: str, *, name: str | None = None, timeout_s: float = 10
) -> Shown:
    """Connect, trusting `ca` (PEM) alone; `name` is whom the certificate must be for, `host` where none is given.

    Raises CertificateError.
    """
    context = ssl.create_default_context(cadata=ca)
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=name or host)
    except (OSError, TimeoutError) as error:
        reason = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else str(error)
        problem = Problem(
            path=f"{host}:{port}",
            message="no connection with a certificate of the region's authority",
            found=reason or type(error).__name__,
        )
        raise CertificateError("a certificate cannot be verified", [problem]) from error
    shown = cast("ssl.SSLObject", writer.get_extra_info("ssl_object")).getpeercert() or {}
    writer.close()
    issuer = cast("tuple[tuple[tuple[str, str], ...], ...]", shown.get("issuer", ()))
    return Shown(
        issuer=", ".join(value for part in issuer for _, value in part),
        not_after=str(shown.get("notAfter", "")),
    )
