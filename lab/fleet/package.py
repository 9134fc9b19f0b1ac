"""Firmware packages in PLDM's format (DSP0267 1.0.1, clause 7), as `.fwpkg` files for BMCs are.

Only what a simulator needs: which component identifiers a package holds, in which version. Written as well as
read, so that tests and benchmarks have packages of any content.
"""

from __future__ import annotations

import struct
import uuid
import zlib
from collections.abc import Mapping
from typing import NamedTuple

_V1_0 = uuid.UUID("f018878c-cb7d-4943-9800-a02f059aca02").bytes
_HEADER = struct.Struct("<16sBH13sHBB")
_RECORD = struct.Struct("<HBIBBH")
_COMPONENT = struct.Struct("<HHIHHIIBB")
_ASCII = 1
_FIRMWARE = 0x000A
"""Component classification: firmware."""
_IANA = 0x0001
_NVIDIA = (5703).to_bytes(4, "little")


class PackageError(ValueError):
    """The file is no package."""


class Image(NamedTuple):
    """A component's image in a package."""

    identifier: int
    version: str


def read(data: bytes) -> list[Image]:
    """What a package holds; raises PackageError for anything else."""
    try:
        return _read(data)
    except (struct.error, UnicodeDecodeError, IndexError) as error:
        raise PackageError(f"the package ends too early or is damaged: {error}") from error


def _read(data: bytes) -> list[Image]:
    header: tuple[bytes, int, int, bytes, int, int, int] = _HEADER.unpack_from(data)
    identifier, _, size, *_, length = header
    if identifier != _V1_0:
        raise PackageError("the file does not begin with the identifier of a PLDM firmware package")
    if size > len(data) or struct.unpack_from("<I", data, size - 4)[0] != zlib.crc32(data[: size - 4]):
        raise PackageError("the checksum of the package's header is wrong")
    at = _HEADER.size + length
    records: int = data[at]
    at += 1
    for _ in range(records):
        at += struct.unpack_from("<H", data, at)[0]
    count, at = struct.unpack_from("<H", data, at)[0], at + 2
    images: list[Image] = []
    for _ in range(count):
        _class, id, _stamp, _options, _activation, offset, length, _kind, name = _COMPONENT.unpack_from(data, at)
        at += _COMPONENT.size
        if offset + length > len(data):
            raise PackageError(f"the image of component {id:#06x} is cut off")
        images.append(Image(id, data[at : at + name].decode("ascii")))
        at += name
    return images


def write(versions: Mapping[int, str], *, name: str = "simulated", image_bytes: int = 256) -> bytes:
    """A package of the components' versions, each with an image of zeros."""
    bits = max(8, (len(versions) + 7) // 8 * 8)
    label = name.encode("ascii")
    descriptor = struct.pack("<HH", _IANA, len(_NVIDIA)) + _NVIDIA
    bitmap = ((1 << len(versions)) - 1).to_bytes(bits // 8, "little")
    size = _RECORD.size + len(bitmap) + len(label) + len(descriptor)
    record = _RECORD.pack(size, 1, 0, _ASCII, len(label), 0) + bitmap + label + descriptor
    table = sum(_COMPONENT.size + len(version) for version in versions.values())
    total = _HEADER.size + len(label) + 1 + len(record) + 2 + table + 4
    head = _HEADER.pack(_V1_0, 1, total, bytes(13), bits, _ASCII, len(label)) + label
    head += b"\x01" + record + struct.pack("<H", len(versions))
    for n, (identifier, version) in enumerate(versions.items()):
        offset = total + n * image_bytes
        text = version.encode("ascii")
        head += _COMPONENT.pack(_FIRMWARE, identifier, 0, 0, 0, offset, image_bytes, _ASCII, len(text)) + text
    return head + struct.pack("<I", zlib.crc32(head)) + bytes(image_bytes * len(versions))
