"""Puts images into the region's registry. Owns the few calls of the distribution protocol that this takes.

Nothing is sent that the registry has: a manifest that is there vouches for its blobs, so a second run asks one
question for each image.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from lab.errors import LabError
from lab.images import store
from lab.images.containers import Built
from lab.images.oci import MANIFEST_TYPE
from lab.images.registry_auth import OperatorAuth

_TIMEOUT_S = 60.0


class Registry:
    """The registry of a region, reached by address and verified by name."""

    def __init__(self, *, name: str, reference: str, client: httpx.Client) -> None:
        self._reference = reference
        self._name = name
        self._client = client

    @classmethod
    def at(cls, *, name: str, address: str, port: int, ca: Path, auth: OperatorAuth) -> Registry:
        """The registry that listens on `address`; it shows a certificate for `name` by the authority in `ca`."""
        client = httpx.Client(
            base_url=f"https://{address}:{port}/v2/",
            headers={"Host": f"{name}:{port}"},
            verify=ssl.create_default_context(cafile=str(ca)),
            timeout=_TIMEOUT_S,
            trust_env=False,
            auth=auth,
        )
        return cls(name=name, reference=f"{name}:{port}", client=client)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def push(self, images: Iterable[Built], report: store.Report = store.silent) -> list[str]:
        """Send the images that the registry lacks; returns their names."""
        listed = list(images)
        with ThreadPoolExecutor(max_workers=4) as pool:
            present = list(pool.map(self._has_image, listed))
            missing = [image for image, there in zip(listed, present, strict=True) if not there]
            for number, image in enumerate(pool.map(self._send, missing), 1):
                report(f"registry: {image.name} {image.image.tag} ({number} of {len(missing)})")
        return [image.name for image in missing]

    def _has_image(self, image: Built) -> bool:
        # By tag: whoever moved it gets it back, and kubeadm asks by tag.
        path = f"{image.image.repository}/manifests/{image.image.tag}"
        answer = self._ask("HEAD", path, (200, 404), headers={"Accept": MANIFEST_TYPE})
        return answer.headers.get("Docker-Content-Digest") == image.digest

    def _send(self, image: Built) -> Built:
        blobs = image.folder / "blobs" / "sha256"
        data = (blobs / image.digest.removeprefix("sha256:")).read_bytes()
        manifest: dict[str, Any] = json.loads(data)
        for part in (manifest["config"], *manifest["layers"]):
            self._send_blob(image.image.repository, part["digest"], blobs / part["digest"].removeprefix("sha256:"))
        path = f"{image.image.repository}/manifests/{image.image.tag}"
        self._ask("PUT", path, (201,), headers={"Content-Type": MANIFEST_TYPE}, content=data)
        return image

    def _send_blob(self, repository: str, digest: str, file: Path) -> None:
        if self._ask("HEAD", f"{repository}/blobs/{digest}", (200, 404)).status_code == 200:
            return
        place = self._ask("POST", f"{repository}/blobs/uploads/", (202,)).headers["Location"]
        # The answer names the registry; the way to it stays ours.
        target = httpx.URL(place)
        parameters = {**dict(target.params), "digest": digest}
        size = str(file.stat().st_size)
        headers = {"Content-Type": "application/octet-stream", "Content-Length": size}
        with file.open("rb") as content:
            self._ask(
                "PUT", target.path.removeprefix("/v2/"), (201,), headers=headers, params=parameters, content=content
            )

    def _ask(
        self,
        method: str,
        path: str,
        allowed: tuple[int, ...],
        *,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> httpx.Response:
        try:
            answer = self._client.request(
                method, path, headers=headers, extensions={"sni_hostname": self._name}, **options
            )
        except httpx.HTTPError as error:
            raise LabError(
                f"the registry {self._reference} does not answer",
                found=str(error) or type(error).__name__,
                remedy="run python -m lab status, and read the registry's log below .lab/logs",
            ) from None
        if answer.status_code not in allowed:
            raise LabError(
                f"the registry {self._reference} refused {method} {path}",
                found=f"{answer.status_code} {answer.text[:300]}",
                allowed=", ".join(map(str, allowed)),
            )
        return answer
