"""A certificate of the region's authority as a resource.

Owns what a program says of it. The provider issues it and keeps it in state, its key as a secret: a run without
changes has nothing to issue, and one close to its end says in the preview that it is issued anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.plan.tenancy.gateway import CERTIFICATE_DAYS, RENEW_DAYS


@dataclass(frozen=True, kw_only=True)
class CertificateArgs:
    """What a certificate is for, and who issues it."""

    names: Sequence[str]
    """DNS names, the first of which names it."""
    ca_certificate: str
    """Reference to the certificate of the authority."""
    ca_key: str
    """Reference to its key."""


class Certificate(pulumi.CustomResource):
    """A server's certificate and its key."""

    certificate: pulumi.Output[str]
    """The certificate and its authority's, PEM."""
    key: pulumi.Output[str]
    """The private key, PEM; secret."""
    not_after: pulumi.Output[str]
    """Its end, ISO 8601 in UTC."""

    def __init__(self, name: str, args: CertificateArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        inputs = {
            "names": list(args.names),
            "ca_certificate": args.ca_certificate,
            "ca_key": args.ca_key,
            "days": CERTIFICATE_DAYS,
            "renew_days": RENEW_DAYS,
        }
        outputs = dict.fromkeys(("certificate", "key", "not_after"))
        secret = pulumi.ResourceOptions(additional_secret_outputs=["key"])
        super().__init__(
            "gpuregion:runtime:Certificate", name, {**inputs, **outputs}, pulumi.ResourceOptions.merge(opts, secret)
        )
