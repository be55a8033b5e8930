"""Reading values of unknown shape (a model's JSON, a probe's results) in a typed way."""

from typing import Any, TypeGuard


def is_dict(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def dict_of(value: object) -> dict[str, Any]:
    return value if is_dict(value) else {}


def list_of(value: object) -> list[Any]:
    return value if is_list(value) else []
