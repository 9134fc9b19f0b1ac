"""The container images of the region. Owns how containers.yaml becomes images; their form is oci.py's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from ruamel.yaml import YAML

from lab.errors import LabError
from lab.images import libraries, oci, store

FILE = Path(__file__).with_name("containers.yaml")
_FORMAT = b"1"
"""Raised when oci.py makes other images of the same input."""


class Image(BaseModel):
    """One image of the list."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    repository: str
    """Name in the registry."""
    tag: str
    """Version, for people and for kubeadm."""
    program: str | None = None
    """Program of the toolchain."""
    wheel: str | None = None
    """Python distribution that carries the program instead."""
    path: Annotated[str, Field(pattern="^/")] | None = None
    """Where the program lies in the image."""
    entrypoint: bool = False
    user: int = 0
    packages: tuple[str, ...] = ()
    """Debian packages that give `files` and the shared libraries of a program that is not static."""
    files: tuple[str, ...] = ()
    copies: Mapping[str, str] = {}
    """Path in the image -> file of the packages, for programs that act by the name they are called by."""

    @property
    def program_path(self) -> str:
        return self.path or f"/usr/local/bin/{self.program}"


@dataclass(frozen=True, kw_only=True)
class Built:
    """An image in the cache."""

    name: str
    image: Image
    folder: Path
    """An OCI layout."""
    digest: str

    def reference(self, registry: str) -> str:
        """How a pod names the image."""
        return f"{registry}/{self.image.repository}@{self.digest}"


def read(path: Path = FILE) -> Mapping[str, Image]:
    """All images of the list, by name."""
    return TypeAdapter(dict[str, Image]).validate_python(YAML(typ="safe").load(path)["images"])


def programs(images: Mapping[str, Image]) -> list[str]:
    """The programs of the toolchain that the images hold."""
    return sorted({image.program for image in images.values() if image.program})


def build(name: str, image: Image, paths: Mapping[str, Path], report: store.Report, log: Path) -> Built:
    """The image, made if the cache does not have it."""
    program = paths[image.program] if image.program else wheel_program(image.wheel or "", Path(image.program_path).name)
    dynamic = [] if image.program else [program]  # those of the toolchain are static
    wanted = (*image.files, *image.copies.values())
    extra = libraries.collect(image.packages, wanted, dynamic, report, log) if image.packages else {}
    extra |= {path: extra[source] for path, source in image.copies.items()}
    extra = {path: file for path, file in extra.items() if path not in image.copies.values()}
    # A program of the toolchain lies in a folder named by its content key; others are read.
    content = program.parent.name if image.program else store.sha256_file(program)
    inputs = {
        "image": image.model_dump_json().encode(),
        "program": content.encode(),
        "format": _FORMAT,
        **{f"file {path}": str(source).encode() for path, source in extra.items()},
    }

    def make(draft: Path) -> None:
        files = {path: oci.File(content=source) for path, source in extra.items()}
        files[image.program_path] = oci.File(content=program)
        entrypoint = [image.program_path] if image.entrypoint else []
        digest = oci.write_image(draft, files, entrypoint=entrypoint, user=image.user, version=image.tag)
        (draft / "digest").write_text(digest)

    folder = store.build_once(store.digest_of(inputs), f"image {name} {image.tag}", make, report)
    return Built(name=name, image=image, folder=folder, digest=(folder / "digest").read_text())


def wheel_program(wheel: str, name: str) -> Path:
    """The program `name` that a Python distribution of this environment carries."""
    try:
        files = distribution(wheel).files or ()
    except PackageNotFoundError:
        raise LabError(
            f"the Python package {wheel} is not installed", remedy="run make install: it installs requirements.lock"
        ) from None
    for file in files:
        if file.name == name and "_bin" in file.parts:
            return Path(str(file.locate())).resolve()
    raise LabError(f"the Python package {wheel} carries no program {name}", found=", ".join(map(str, files))[:400])
