"""A real registry on loopback that asks for tokens, their real issuer, and a cluster of which only the keys are there."""

from __future__ import annotations

import base64
import http.server
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from lab.toolchain.build import ensure
from tests.fleet_world import free_port
from tests.image_client import Caller
from tests.integration.object_store import TOOLS, certificate

ISSUER = "https://kubernetes.default.svc.cluster.local"
OPERATOR = ("operator", "key of a test")


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Cluster:
    """Signs tokens of ServiceAccounts and publishes its keys, as an API server does; or does not answer."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    up: bool = True

    def keys(self) -> bytes:
        numbers = self.key.public_key().public_numbers()
        x, y = (_encoded(n.to_bytes(32, "big")) for n in (numbers.x, numbers.y))
        return json.dumps({"keys": [{"kty": "EC", "kid": "one", "crv": "P-256", "x": x, "y": y}]}).encode()

    def token(self, namespace: str, **changed: Any) -> str:
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": ["registry"],
            "sub": f"system:serviceaccount:{namespace}:default",
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "kubernetes.io": {"namespace": namespace},
            **changed,
        }
        head = {"alg": "ES256", "kid": "one"}
        text = ".".join(_encoded(json.dumps(part).encode()) for part in (head, claims))
        r, s = decode_dss_signature(self.key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{text}.{_encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    @contextmanager
    def served(self) -> Generator[str]:
        """The address of its JWKS."""
        cluster = self

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200 if cluster.up else 503)
                self.end_headers()
                self.wfile.write(cluster.keys() if cluster.up else b"")

            def log_message(self, format: str, *args: Any) -> None:
                return

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_address[1]}/openid/v1/jwks"
            server.shutdown()


@dataclass(frozen=True, kw_only=True)
class World:
    """All of it, and whom one may be in it."""

    cluster: Cluster
    client: httpx.Client

    @property
    def anybody(self) -> Caller:
        return Caller(client=self.client)

    @property
    def operator(self) -> Caller:
        return Caller(client=self.client, credentials=OPERATOR)

    def account(self, namespace: str, **changed: Any) -> Caller:
        token = self.cluster.token(namespace, **changed)
        return Caller(client=self.client, credentials=("serviceaccount", token))


@contextmanager
def _running(*argv: str | Path, log: Path, port: int) -> Generator[None]:
    with log.open("w") as output:
        process = subprocess.Popen(
            argv, stdout=output, stderr=output, env={**os.environ, "OTEL_TRACES_EXPORTER": "none"}
        )
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                break
        else:
            pytest.fail(f"{argv[0]} did not come up in 10 s: {log.read_text()}")
        yield
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    registry = shutil.which("registry", path=TOOLS)
    if registry is None:
        pytest.skip("registry is not built: make tools")
    cluster, (issued, key) = Cluster(), certificate(tmp_path)
    port, issuer_port = free_port(), free_port()
    operator = tmp_path / "registry.json"
    operator.write_text(json.dumps(dict(zip(("username", "password"), OPERATOR, strict=True))))
    config = {
        "version": "0.1",
        "log": {"level": "warn"},
        "storage": {"filesystem": {"rootdirectory": str(tmp_path / "data")}},
        "http": {"addr": f"127.0.0.1:{port}", "relativeurls": True, "secret": "of a test"},
        "auth": {
            "token": {
                "realm": f"https://127.0.0.1:{issuer_port}/token",
                "service": "registry",
                "issuer": "registry-tokens",
                "jwks": str(tmp_path / "jwks.json"),
                "signingalgorithms": ["ES256"],
            }
        },
    }
    (tmp_path / "config.yml").write_text(json.dumps(config))
    with ExitStack() as stack:
        keys = stack.enter_context(cluster.served())
        serve = (ensure("registry-tokens")["registry-tokens"], "serve", "--listen", f"127.0.0.1:{issuer_port}")
        files = ("--certificate", issued, "--certificate-key", key, "--operator", operator)
        own = ("--key", tmp_path / "signing.pem", "--jwks", tmp_path / "jwks.json", "--cluster-keys", keys)
        stack.enter_context(_running(*serve, *files, *own, log=tmp_path / "issuer.log", port=issuer_port))
        stack.enter_context(
            _running(registry, "serve", tmp_path / "config.yml", log=tmp_path / "registry.log", port=port)
        )
        trusted = ssl.create_default_context(cafile=str(issued))
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", verify=trusted, trust_env=False)
        yield World(cluster=cluster, client=stack.enter_context(client))
