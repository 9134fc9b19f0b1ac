"""Fixtures of several modules."""

from tests.integration.object_store import access

__all__ = ["access"]
