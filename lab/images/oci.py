"""The form of a container image: one layer, a configuration, a manifest, each named by its digest.

Equal files make equal bytes: entries are sorted, belong to root and carry one fixed time, and the layer is
compressed by one thread.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath

from lab import shell

EPOCH = 1767225600
"""2026-01-01, the time of all files and images."""
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
_CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
_LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+zstd"
_PATH = "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_BASE: Mapping[str, bytes] = {
    "/etc/passwd": b"root:x:0:0:root:/:/none\nnonroot:x:65532:65532::/:/none\n",
    "/etc/group": b"root:x:0:\nnonroot:x:65532:\n",
    "/etc/nsswitch.conf": b"hosts: files dns\n",
}


@dataclass(frozen=True, kw_only=True)
class File:
    """A file of an image."""

    content: Path | bytes
    mode: int = 0o755


@dataclass(frozen=True, kw_only=True)
class Blob:
    """Bytes that the registry knows by their digest."""

    digest: str
    size: int
    media_type: str

    def descriptor(self) -> dict[str, str | int]:
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


def write_image(folder: Path, files: Mapping[str, File], *, entrypoint: Sequence[str], user: int, version: str) -> str:
    """Write an image into `folder` as an OCI layout; returns the digest of its manifest."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    plain = folder / "layer.tar"
    write_layer(plain, {**{path: File(content=data, mode=0o644) for path, data in _BASE.items()}, **files})
    with plain.open("rb") as file:
        unpacked = hashlib.file_digest(file, "sha256").hexdigest()
    packed = folder / "layer.tar.zst"
    shell.run("zstd", "-q", "-3", "--single-thread", "--rm", plain, "-o", packed)
    layer = _adopt(blobs, packed, _LAYER_TYPE)
    configuration = {
        "architecture": "amd64",
        "os": "linux",
        "created": "2026-01-01T00:00:00Z",
        "config": {
            "Env": [_PATH],
            "User": str(user),
            "WorkingDir": "/",
            "Labels": {"org.opencontainers.image.version": version},
            **({"Entrypoint": list(entrypoint)} if entrypoint else {}),
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{unpacked}"]},
        "history": [{"created": "2026-01-01T00:00:00Z", "created_by": "lab.images"}],
    }
    config = _store(blobs, configuration, _CONFIG_TYPE)
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": config.descriptor(),
        "layers": [layer.descriptor()],
    }
    top = _store(blobs, manifest, MANIFEST_TYPE)
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [top.descriptor()]}))
    return top.digest


def write_layer(path: Path, files: Mapping[str, File]) -> None:
    """A tar archive of `files` and the folders above them."""
    folders = {parent.as_posix() for name in files for parent in PurePosixPath(name).parents} - {"/"}
    entries: dict[str, File | None] = {**dict.fromkeys(folders), "/tmp": None, **files}  # noqa: S108 - in the image
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as archive:
        for name in sorted(entries):
            entry = entries[name]
            info = tarfile.TarInfo(name.lstrip("/"))
            info.mtime = EPOCH
            if entry is None:
                info.type, info.mode = tarfile.DIRTYPE, 0o1777 if name == "/tmp" else 0o755  # noqa: S108
                archive.addfile(info)
                continue
            info.mode = entry.mode
            if isinstance(entry.content, bytes):
                info.size = len(entry.content)
                archive.addfile(info, BytesIO(entry.content))
            else:
                info.size = entry.content.stat().st_size
                with entry.content.open("rb") as source:
                    archive.addfile(info, source)


def _adopt(blobs: Path, file: Path, media_type: str) -> Blob:
    with file.open("rb") as source:
        digest = hashlib.file_digest(source, "sha256").hexdigest()
    size = file.stat().st_size
    file.rename(blobs / digest)
    return Blob(digest=f"sha256:{digest}", size=size, media_type=media_type)


def _store(blobs: Path, value: object, media_type: str) -> Blob:
    data = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    digest = hashlib.sha256(data).hexdigest()
    (blobs / digest).write_bytes(data)
    return Blob(digest=f"sha256:{digest}", size=len(data), media_type=media_type)
