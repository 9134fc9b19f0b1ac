"""Container images of the region: the CNCF distribution registry over TLS, on the file system, guarded by tokens."""

from __future__ import annotations

from lab import shell
from lab.context import Lab
from lab.services import pki, registry_tokens
from lab.services.service import Service, accepts


def service(lab: Lab) -> Service:
    """The registry on the services address."""
    directory = lab.home.services / "registry"
    certificate, key = pki.certificate(lab.home, "services")
    address, port = lab.wiring.services.address, lab.wiring.services.registry
    config, keys = directory / "config.yml", registry_tokens.public_keys(lab)
    text = f"""\
version: 0.1
log:
  level: warn
  accesslog:
    disabled: true
storage:
  filesystem:
    rootdirectory: {directory / "data"}
  cache:
    blobdescriptor: inmemory
  delete:
    enabled: true
http:
  addr: {address}:{port}
  host: https://registry.{lab.wiring.domain}:{port}
  # Clients push by address as well as by name.
  relativeurls: true
  # Signs the state of an upload. An upload does not outlive this single server.
  secret: {lab.wiring.name}
  tls:
    certificate: {certificate}
    key: {key}
    minimumtls: tls1.2
auth:
  token:
    realm: {registry_tokens.realm(lab)}
    service: {registry_tokens.SERVICE}
    issuer: {registry_tokens.ISSUER}
    jwks: {keys}
    signingalgorithms: [ES256]
"""
    return Service(
        name="registry",
        title="image registry (distribution)",
        argv=(shell.program("registry", lab.home.tools), "serve", config),
        files={config: text},
        directories=(directory / "data",),
        depends_on=(certificate, key, keys),
        env={"OTEL_TRACES_EXPORTER": "none"},
        listens=((address, port),),
        ready=lambda: accepts(address, port),
    )
