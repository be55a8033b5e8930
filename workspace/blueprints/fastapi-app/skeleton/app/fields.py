"""How an entity is described: its fields, their types, and how they look in a form."""

import datetime
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, create_model

PYTHON_TYPES: dict[str, Any] = {
    "text": str,
    "long_text": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "date": datetime.date,
}
COLUMN_TYPES = {"integer": "INTEGER", "number": "REAL", "boolean": "INTEGER"}
INPUT_TYPES = {"integer": "number", "number": "number", "boolean": "checkbox", "date": "date"}


@dataclass(frozen=True)
class EntityField:
    """One field of an entity."""

    name: str
    type: str = "text"
    is_required: bool = False
    former_name: str = ""
    """What the field was called before: its column is renamed, so that no row loses a value."""

    @property
    def label(self) -> str:
        """What people read beside the input."""
        return self.name.replace("_", " ").capitalize()

    @property
    def input_type(self) -> str:
        """The type of the form's input."""
        return INPUT_TYPES.get(self.type, "text")

    @property
    def column(self) -> str:
        """The column as the table declares it."""
        return f'"{self.name}" {COLUMN_TYPES.get(self.type, "TEXT")}'


@dataclass(frozen=True)
class Entity:
    """What the app keeps: its names and fields."""

    name: str
    plural: str
    fields: tuple[EntityField, ...]

    @property
    def label(self) -> str:
        """The name as people read it."""
        return self.name.replace("_", " ")


def _definition(field: EntityField) -> Any:
    kind = PYTHON_TYPES[field.type]
    if field.is_required and kind is str:
        return (kind, Field(min_length=1, max_length=10_000))
    if field.is_required:
        return (kind, ...)
    return (bool, False) if kind is bool else (kind | None, None)


def body_model(entity: Entity) -> type[BaseModel]:
    """The body of a create or replace request: unknown fields refused, text trimmed."""
    settings = ConfigDict(extra="forbid", str_strip_whitespace=True)
    name = "".join(part.capitalize() for part in entity.name.split("_"))
    fields: dict[str, Any] = {field.name: _definition(field) for field in entity.fields}
    return create_model(f"{name}Body", __config__=settings, **fields)


def change_model(entity: Entity) -> type[BaseModel]:
    """The body of a partial change: every field may be left out."""
    name = "".join(part.capitalize() for part in entity.name.split("_"))
    fields: dict[str, Any] = {
        field.name: (PYTHON_TYPES[field.type] | None, None) for field in entity.fields
    }
    return create_model(f"{name}Change", __config__=ConfigDict(extra="forbid"), **fields)
