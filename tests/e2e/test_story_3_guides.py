"""Guides on the lab: what they tell a newcomer to write and to type is done word by word, and is as they show it.

Uses a lab that is up. A guide removes what it made; where it fails, its files are put back and the lab follows them.
"""

from __future__ import annotations

import pytest

from components.spec import artifacts
from tests.e2e import guides
from tests.e2e.process import ROOT, run
from tests.e2e.services import LAYERS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

IMAGES = {"my-first-model": "model-engine"}
"""What a guide needs of the lab's images besides those that every lab has."""


@pytest.mark.parametrize("name", guides.GUIDES)
def test_a_guide_does_what_it_says_and_shows_what_comes(lab: None, name: str) -> None:
    image = IMAGES.get(name)
    if image and image not in artifacts.load(ROOT / ".lab" / "artifacts.json").container_images:
        pytest.skip(f"{name}: {image} is not among the images of this lab; `python -m lab up` publishes it")
    try:
        guides.follow(name)
    except BaseException:
        run("region", "up", "lab", *LAYERS)
        raise
