"""Guides on the lab: what they tell a newcomer to write and to type is done word by word, and is as they show it.

Uses a lab that is up; a guide removes what it made, and where it fails its files are put back and the lab follows.
"""

from __future__ import annotations

import httpx
import pytest

from components.spec import artifacts
from tests.e2e import guides
from tests.e2e.process import ROOT, run

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

IMAGES = {"my-first-model": "model-engine"}
"""What a guide needs of the lab's images besides those that every lab has."""


@pytest.fixture(autouse=True)
def lab() -> None:
    try:
        httpx.get("http://10.255.2.1/", timeout=5, trust_env=False)
    except httpx.HTTPError:
        pytest.skip("no lab is up: make up")


@pytest.mark.parametrize("name", guides.GUIDES)
def test_a_guide_does_what_it_says_and_shows_what_comes(name: str) -> None:
    image = IMAGES.get(name)
    if image and image not in artifacts.load(ROOT / ".lab" / "artifacts.json").container_images:
        pytest.skip(f"{name}: the image {image} is not among those of this lab: make tools, python -m lab up")
    try:
        guides.follow(name)
    except BaseException:
        run("region", "up", "lab", "--layer", "cluster", "--layer", "runtime")
        raise
