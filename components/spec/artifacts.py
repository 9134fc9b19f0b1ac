"""The artifact index: what was built and published, by digest.

Written by whoever builds images (the lab, or a region's pipeline); this toolkit only reads it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PlainSerializer, ValidationError

from components.errors import Problem, SpecError
from components.spec.base import Model
from components.spec.position import Positions
from components.spec.problems import problems_of

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class DeployImage(Model):
    """A whole-disk image."""

    url: str
    """Where the deploy agent fetches it."""
    sha256: Sha256
    format: Literal["raw", "qcow2"]
    size: Annotated[int, Field(ge=1)]
    """Bytes of the file."""


class PublishedImage(Model):
    """A container image in the region's registry."""

    reference: Annotated[str, Field(pattern="^[^@ ]+@sha256:[0-9a-f]{64}$")]
    """By digest, so that a tag that moves changes nothing."""
    tag: str
    """Version, for people and for kubeadm."""


class Manifest(Model):
    """Kubernetes objects of an add-on, images already those of the region's registry."""

    url: str
    sha256: Sha256


class PublishedWeights(Model):
    """Weights in the region's bucket, every file of them under its digest."""

    manifest: Annotated[str, Field(pattern="^sha256:[0-9a-f]{64}$")]
    """Digest of the list of their files with the digest of each; it stands for all of them."""
    bytes: Annotated[int, Field(ge=1)]
    """Of all files together."""


_FROZEN = (AfterValidator(MappingProxyType), PlainSerializer(dict))


class ArtifactIndex(Model):
    """Everything that a region installs."""

    # `schema` would shadow a method of pydantic's models.
    schema_version: Literal[1] = Field(alias="schema")
    deploy_images: Annotated[Mapping[str, DeployImage], *_FROZEN]
    container_images: Annotated[Mapping[str, PublishedImage], *_FROZEN]
    manifests: Annotated[Mapping[str, Manifest], *_FROZEN]
    weights: Annotated[Mapping[str, PublishedWeights], *_FROZEN] = Field(default_factory=lambda: MappingProxyType({}))
    """By checkpoint, as the catalogue's models name it."""


def load(path: Path) -> ArtifactIndex:
    """Read the index; SpecError if it is missing or malformed."""
    shown = str(path)
    try:
        text = path.read_text(encoding="utf-8")
        json.loads(text)
        return ArtifactIndex.model_validate_json(text, strict=True)
    except FileNotFoundError:
        problem = Problem(
            path=shown,
            message="there is no artifact index",
            remedy="build and publish the images first (in the lab: make up)",
            file=shown,
            rule="artifacts-missing",
        )
        raise SpecError("the region's images are not published", [problem]) from None
    except ValueError as error:
        if isinstance(error, ValidationError):
            problems = list(problems_of(error, ArtifactIndex, Positions()))
        else:
            problems = [Problem(path=shown, message=f"this is not JSON: {error}", file=shown, rule="artifacts-form")]
        raise SpecError(f"{shown} is not an artifact index", problems) from None
