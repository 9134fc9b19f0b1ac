"""An edge of the world, whatever it is made of: a program that stands in for a region's gateway, or a cluster."""

from __future__ import annotations

from typing import Protocol

from lab.edges.description import Point


class Edge(Protocol):
    """Answers at its point's address while it runs."""

    @property
    def point(self) -> Point:
        """Where it is."""
        ...

    @property
    def is_running(self) -> bool:
        """Whether it was started, and not stopped since."""
        ...

    def start(self, namespace: str) -> None:
        """Begin, in the namespace of its point, which has its addresses and its distance."""
        ...

    def wait(self) -> None:
        """Until it answers. Raises LabError where it does not."""
        ...

    def stop(self) -> None:
        """Die at once; its address stays, and nobody answers there. What it knows lasts until the
        next start. Again is no error."""
        ...

    def close(self) -> None:
        """Die and leave nothing running; again is no error."""
        ...
