"""How a new version of a service takes over."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from components.spec.base import Model
from components.spec.types import Percent


class Strategy(StrEnum):
    """How a new version takes over."""

    ROLLING = "rolling"
    """One replica after another; a version that does not start stops there."""
    CANARY = "canary"
    """By growing shares of the requests; errors take it back."""
    BLUE_GREEN = "blue_green"
    """Beside the old one, then all requests at once."""
    IMMEDIATE = "immediate"
    """All at once: the old one ends first. For what cannot run twice."""


class Rollout(Model):
    """How a new version takes over. A bad image never takes a working service down, but with `immediate`."""

    strategy: Strategy = Strategy.ROLLING
    weights: tuple[Percent, ...] = (10, 50)
    """Shares of the requests that a canary gets, one after the other, before it gets all, %."""
    pause_s: Annotated[int, Field(ge=1, le=86_400)] = 60
    """Seconds that each share is watched."""
    max_error_percent: Annotated[int, Field(ge=0, le=100)] = 5
    """Answers of a canary with status 5xx, %, from which it is taken back."""
