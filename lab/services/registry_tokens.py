"""Who may read and write which images: the issuer of the registry's tokens (components/programs/registry_tokens)."""

from __future__ import annotations

from pathlib import Path

from lab import shell
from lab.context import Lab
from lab.services import pki
from lab.services.service import Service, accepts

SERVICE, ISSUER = "registry", "registry-tokens"
"""What registry and issuer call themselves in tokens."""


def service(lab: Lab) -> Service:
    """The issuer on the services address. It needs no cluster: until there is one, no tenant can ask."""
    directory = lab.home.services / "registry-tokens"
    certificate, key = pki.certificate(lab.home, "services")
    address, port = lab.wiring.services.address, lab.wiring.services.registry_tokens
    operator, authority = lab.home.secrets / "registry.json", pki.authority(lab.home)
    program = shell.program("registry-tokens", lab.home.tools)
    return Service(
        name="registry-tokens",
        title="tokens of the image registry",
        argv=(
            *(program, "serve", "--listen", f"{address}:{port}"),
            *("--certificate", certificate, "--certificate-key", key),
            *("--key", directory / "signing.pem", "--jwks", public_keys(lab), "--operator", operator),
            *("--service", SERVICE, "--issuer", ISSUER, "--ca", authority),
            *("--cluster-keys", lab.wiring.cluster.keys, "--cluster-issuer", lab.wiring.cluster.issuer),
        ),
        directories=(directory,),
        depends_on=(certificate, key, operator, authority),
        listens=((address, port),),
        ready=lambda: accepts(address, port),
    )


def realm(lab: Lab) -> str:
    """Where clients of the registry are sent for a token: an address, as pods cannot resolve the region's names."""
    return f"https://{lab.wiring.services.address}:{lab.wiring.services.registry_tokens}/token"


def public_keys(lab: Lab) -> Path:
    """The file by which the registry verifies tokens (JWKS); the issuer writes it at its start."""
    return lab.home.services / "registry-tokens" / "jwks.json"
