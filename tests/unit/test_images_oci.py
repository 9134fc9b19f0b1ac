"""The form of a container image: the same files make the same bytes."""

from __future__ import annotations

import json
import os
import tarfile
from pathlib import Path

import pytest

from lab.images import containers, oci
from lab.images.oci import File
from lab.toolchain.catalogue import Use, catalogue


def layer(path: Path) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(path) as archive:
        return {entry.name: entry for entry in archive}


def test_a_layer_does_not_depend_on_order_time_or_owner(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"x" * 5000)
    first, second = tmp_path / "1.tar", tmp_path / "2.tar"
    oci.write_layer(first, {"/b/p": File(content=program), "/a": File(content=b"a", mode=0o644)})
    os.utime(program, (1, 1))
    oci.write_layer(second, {"/a": File(content=b"a", mode=0o644), "/b/p": File(content=program)})
    assert first.read_bytes() == second.read_bytes()


def test_a_layer_has_the_folders_above_its_files_and_a_tmp_for_everybody(tmp_path: Path) -> None:
    oci.write_layer(tmp_path / "l.tar", {"/usr/local/bin/p": File(content=b"")})
    entries = layer(tmp_path / "l.tar")
    assert list(entries) == ["tmp", "usr", "usr/local", "usr/local/bin", "usr/local/bin/p"]
    assert entries["tmp"].mode == 0o1777
    assert {(e.uid, e.gid, e.mtime) for e in entries.values()} == {(0, 0, oci.EPOCH)}
    assert entries["usr/local/bin/p"].mode == 0o755


def test_an_image_is_named_by_what_is_in_it(tmp_path: Path) -> None:
    digests = [
        oci.write_image(tmp_path / name, {"/p": File(content=content)}, entrypoint=["/p"], user=65532, version="v1")
        for name, content in (("one", b"1"), ("same", b"1"), ("other", b"2"))
    ]
    assert digests[0] == digests[1] != digests[2]


def test_every_blob_of_an_image_is_there_under_its_digest(tmp_path: Path) -> None:
    digest = oci.write_image(tmp_path / "i", {"/p": File(content=b"1")}, entrypoint=["/p"], user=7, version="v1")
    blobs = tmp_path / "i" / "blobs" / "sha256"
    manifest = json.loads((blobs / digest.removeprefix("sha256:")).read_text())
    config = json.loads((blobs / manifest["config"]["digest"].removeprefix("sha256:")).read_text())
    assert (config["config"]["User"], config["config"]["Entrypoint"]) == ("7", ["/p"])
    for part in (manifest["config"], *manifest["layers"]):
        assert (blobs / part["digest"].removeprefix("sha256:")).stat().st_size == part["size"]
    assert not (tmp_path / "i" / "layer.tar").exists(), "the unpacked layer is not kept"


@pytest.mark.parametrize("name", containers.read())
def test_each_image_holds_a_program_that_is_there(name: str) -> None:
    image = containers.read()[name]
    if image.program:
        assert Use.IMAGE in catalogue().programs[image.program].used_by
        version = catalogue().programs[image.program].module.version
        assert image.tag.removeprefix("v") == version.removeprefix("v"), "the tag is the version of the program"
    else:
        path = containers.wheel_program(image.wheel or "", "envoy")
        assert os.access(path, os.X_OK)


def test_every_program_for_images_is_in_one() -> None:
    packed = set(containers.programs(containers.read()))
    assert packed == {name for name, p in catalogue().programs.items() if Use.IMAGE in p.used_by}
