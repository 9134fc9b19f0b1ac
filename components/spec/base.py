"""The base of all models of a description."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """Strict and frozen; attribute docstrings become the descriptions of the JSON Schema.

    Rejected values are kept out of pydantic's own error text, as they may be secrets:
    `components.spec.problems` decides which of them an operator may see.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )
