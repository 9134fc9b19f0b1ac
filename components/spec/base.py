"""The base of all models of a description."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler


class Model(BaseModel):
    """Strict and frozen; attribute docstrings become the descriptions of the JSON Schema.

    They are read when a schema is asked for. pydantic's own `use_attribute_docstrings` parses the source of
    every class whenever it is imported, which a preview would wait for and has no use of.

    Rejected values are kept out of pydantic's own error text, as they may be secrets:
    `components.spec.problems` decides which of them an operator may see.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        from components.spec.docstrings import attribute_docstrings

        found = handler(core_schema)
        properties = handler.resolve_ref_schema(found).get("properties", {})
        for name, text in attribute_docstrings(cls, Model).items():
            key = cls.model_fields[name].alias or name if name in cls.model_fields else name
            if key in properties:
                properties[key].setdefault("description", text)
        return found
