"""Fixtures of all tests: the lab's plan, and golden files that change only when they are told to."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

from components.plan import RegionPlan
from components.spec import Region
from tests.regions import ROOT, lab, one_rack, plan_of

# Ironic's libraries load eventlet, which would load dnspython a second time: its classes would be strangers to those
# that a test uses.
os.environ["EVENTLET_NO_GREENDNS"] = "yes"

# Several processes share the cores of a machine that others may use too: a slow example says nothing of the code.
settings.register_profile("shared-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared-machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--refresh-goldens", action="store_true", help="write golden files instead of comparing them")


@pytest.fixture(scope="session")
def lab_region() -> Region:
    """The lab's description."""
    return lab()


@pytest.fixture(scope="session")
def lab_plan(lab_region: Region) -> RegionPlan:
    """The lab, compiled with the artifact index of the fixtures."""
    return plan_of(lab_region)


@pytest.fixture(scope="session")
def essonne_rack() -> RegionPlan:
    """Essonne with one rack of GPUs and one of the control plane."""
    return one_rack("essonne")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """`golden("lab/wiring.json", text)` fails if the text is not that of the golden file."""

    def compare(name: str, text: str) -> None:
        path = ROOT / "tests" / "golden" / name
        if request.config.getoption("--refresh-goldens"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        expected = path.read_text() if path.is_file() else ""
        assert text == expected, (
            f"{name} differs; if this is meant: pytest --refresh-goldens, and review the difference"
        )

    return compare
