"""Parts of a JSON object from elsewhere, whatever it turns out to hold."""

from collections.abc import Mapping
from typing import Any, cast

JsonObject = dict[str, Any]


def section(whole: Mapping[str, Any], name: str) -> JsonObject:
    """Return the object at ``name``; empty if there is none."""
    found: Any = whole.get(name)
    return cast("JsonObject", found) if isinstance(found, dict) else {}


def entries(whole: Mapping[str, Any], name: str) -> list[JsonObject]:
    """Return the objects in the list at ``name``."""
    found: Any = whole.get(name)
    listed = cast("list[Any]", found) if isinstance(found, list) else []
    return [cast("JsonObject", each) for each in listed if isinstance(each, dict)]


def words(whole: Mapping[str, Any], name: str) -> list[str]:
    """Return the list at ``name`` as text."""
    found: Any = whole.get(name)
    return [str(each) for each in cast("list[Any]", found)] if isinstance(found, list) else []
