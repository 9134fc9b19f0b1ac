"""Manifests name the region's images only."""

from __future__ import annotations

import pytest

from lab.errors import LabError
from lab.images.manifests import replace_images

OURS = {
    "ghcr.example/keda": "registry.lab.internal:5000/kedacore/keda@sha256:aa",
    "ko://example/add-on/operator": "registry.lab.internal:5000/kedacore/operator@sha256:bb",
    "host:5000/with/port": "registry.lab.internal:5000/with/port@sha256:cc",
}


@pytest.mark.parametrize(
    ("line", "replaced"),
    [
        ("        image: ghcr.example/keda:main", "        image: registry.lab.internal:5000/kedacore/keda@sha256:aa"),
        ("      - image: ghcr.example/keda", "      - image: registry.lab.internal:5000/kedacore/keda@sha256:aa"),
        (
            "  image: ko://example/add-on/operator",
            "  image: registry.lab.internal:5000/kedacore/operator@sha256:bb",
        ),
        ("  image: host:5000/with/port:1.2", "  image: registry.lab.internal:5000/with/port@sha256:cc"),
        ("  image: host:5000/with/port", "  image: registry.lab.internal:5000/with/port@sha256:cc"),
        ("  imagePullPolicy: Always", "  imagePullPolicy: IfNotPresent"),
    ],
)
def test_an_image_is_named_by_the_digest_in_our_registry(line: str, replaced: str) -> None:
    assert replace_images(f"a: b\n{line}\nc: d\n", OURS) == f"a: b\n{replaced}\nc: d\n"


def test_a_field_of_a_schema_is_no_image() -> None:
    text = "properties:\n  image:\n    description: Image is the OCI image.\n    type: string\n"
    assert replace_images(text, OURS) == text


def test_an_image_that_the_registry_lacks_is_refused() -> None:
    with pytest.raises(LabError) as refused:
        replace_images("  image: docker.example/ratelimit:1\n", OURS)
    assert "docker.example/ratelimit" in str(refused.value)
    assert "containers.yaml" in str(refused.value)
