"""A client of an image registry that asks for tokens, for tests that attack one."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

import httpx

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@dataclass(frozen=True, kw_only=True)
class Caller:
    """One who calls the registry as its clients do: refused first, then with the token that the refusal asks for."""

    client: httpx.Client
    credentials: tuple[str, str] | None = None

    def ask(self, method: str, path: str, *, scope: str = "", **options: Any) -> httpx.Response:
        """The registry's answer; `scope` asks for another token than the registry says."""
        answer = self.client.request(method, path, **options)
        challenge = answer.headers.get("WWW-Authenticate", "")
        if answer.status_code != 401:
            return answer
        told = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        asked = {"service": told["service"], "scope": scope or told.get("scope", "")}
        token = self.client.get(told["realm"], params=asked, auth=self.credentials)
        if token.status_code != 200:
            return token
        headers = {**options.pop("headers", {}), "Authorization": f"Bearer {token.json()['token']}"}
        return self.client.request(method, path, headers=headers, **options)

    def push(self, repository: str, content: bytes) -> int:
        """Status of the first refusal, or 201: an image of one blob, with the tag `v1`."""
        started = self.ask("POST", f"/v2/{repository}/blobs/uploads/")
        if started.status_code != 202:
            return started.status_code
        for blob in (content, b"{}"):
            self.send(repository, blob)
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": _part(b"{}"), "layers": [_part(content)]}
        return self.name(repository, json.dumps(manifest).encode())

    def send(self, repository: str, blob: bytes) -> None:
        """Put a blob where this caller may."""
        place = self.ask("POST", f"/v2/{repository}/blobs/uploads/").headers["Location"]
        sent = self.ask("PUT", str(httpx.URL(place).copy_add_param("digest", digest(blob))), content=blob)
        assert sent.status_code == 201, sent.text

    def name(self, repository: str, manifest: bytes) -> int:
        """Status of putting a manifest under the tag `v1`."""
        headers = {"Content-Type": MANIFEST}
        return self.ask("PUT", f"/v2/{repository}/manifests/v1", content=manifest, headers=headers).status_code

    def copy(self, source: str, source_digest: str, target: str, mark: str) -> str:
        """Digest in `target` of an image that runs as the source does and is yet another: a label has `mark`."""
        manifest = self.ask("GET", f"/v2/{source}/manifests/{source_digest}", headers={"Accept": MANIFEST}).json()
        config = self.ask("GET", f"/v2/{source}/blobs/{manifest['config']['digest']}", follow_redirects=True).json()
        config.setdefault("config", {})["Labels"] = {"mark": mark}
        described = json.dumps(config).encode()
        self.send(target, described)
        for layer in manifest["layers"]:
            asked = {"mount": layer["digest"], "from": source}
            mounted = self.ask("POST", f"/v2/{target}/blobs/uploads/", params=asked)
            assert mounted.status_code == 201, mounted.text
        manifest["config"] |= _part(described) | {"mediaType": manifest["config"]["mediaType"]}
        text = json.dumps(manifest).encode()
        assert self.name(target, text) == 201
        return digest(text)

    def pull(self, repository: str, content: bytes) -> tuple[int, int]:
        """Statuses of the manifest and of its blob."""
        manifest = self.ask("GET", f"/v2/{repository}/manifests/v1", headers={"Accept": MANIFEST})
        return manifest.status_code, self.ask("GET", f"/v2/{repository}/blobs/{digest(content)}").status_code


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _part(content: bytes) -> dict[str, object]:
    return {"mediaType": "application/octet-stream", "digest": digest(content), "size": len(content)}
