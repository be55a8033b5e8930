"""The JSON schemas that small plans are held to: flat, bounded, with closed lists of types."""

from typing import Any, get_args

from diono.agents.spec import FieldType, ResultType, ValueType

Schema = dict[str, Any]

_NAME = {"type": "string", "pattern": "^[a-z][a-z_0-9]{1,30}$"}


def _object(**properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(items: Schema, least: int, most: int) -> Schema:
    return {"type": "array", "minItems": least, "maxItems": most, "items": items}


def _one_of(values: tuple[str, ...]) -> Schema:
    return {"type": "string", "enum": list(values)}


def _text(most: int) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": most}


FUNCTIONS = _object(
    functions=_list(
        _object(
            name=_NAME,
            parameters=_list(_object(name=_NAME, type=_one_of(get_args(ValueType))), 1, 5),
            returns=_one_of(get_args(ResultType)),
            description=_text(160),
        ),
        1,
        3,
    )
)
CHOICES = _list(_text(20), 2, 4)
ENTITY = _object(
    name=_NAME, fields=_list(_object(name=_NAME, type=_one_of(get_args(FieldType))), 2, 6)
)
_NAME_OR_NOTHING = {"type": "string", "pattern": "^([a-z][a-z_0-9]{1,30})?$"}
CHANGES = _object(
    changes=_list(
        _object(
            operation=_one_of(("add_field", "rename_field", "remove_field", "require_field")),
            name=_NAME,
            new_name=_NAME_OR_NOTHING,
            type=_one_of(get_args(FieldType)),
        ),
        0,
        3,
    )
)
TEXTS = _object(title=_text(50), summary=_text(160))


def kinds(names: tuple[str, ...]) -> Schema:
    return _object(kind=_one_of(names))


def file_of(names: tuple[str, ...]) -> Schema:
    return _object(path=_one_of(names))
