"""What can be changed in a built app: operations on its spec, applied without any model."""

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from diono.agents.errors import ChangeRefused
from diono.agents.spec import (
    NAME_PATTERN,
    EntitySpec,
    FieldSpec,
    FieldType,
    FunctionSpec,
    Spec,
)


class _Operation(BaseModel):
    model_config = ConfigDict(frozen=True)


class AddField(_Operation):
    operation: Literal["add_field"] = "add_field"
    name: str = Field(pattern=NAME_PATTERN)
    type: FieldType = "text"
    is_required: bool = False


class RenameField(_Operation):
    operation: Literal["rename_field"] = "rename_field"
    name: str
    new_name: str = Field(pattern=NAME_PATTERN)


class RemoveField(_Operation):
    operation: Literal["remove_field"] = "remove_field"
    name: str


class RequireField(_Operation):
    operation: Literal["require_field"] = "require_field"
    name: str
    is_required: bool = True


class ChangeTitle(_Operation):
    operation: Literal["change_title"] = "change_title"
    title: str = Field(min_length=1, max_length=50)


class AddFunction(_Operation):
    """``function`` was planned from the request."""

    operation: Literal["add_function"] = "add_function"
    function: FunctionSpec


class RemoveFunction(_Operation):
    operation: Literal["remove_function"] = "remove_function"
    name: str


StyleProperty = Literal["background", "color", "font-size"]


class AddText(_Operation):
    operation: Literal["add_text"] = "add_text"
    text: str = Field(min_length=1, max_length=200)


class Restyle(_Operation):
    """``value`` can be nothing but a colour or a size."""

    operation: Literal["restyle"] = "restyle"
    property: StyleProperty
    value: str = Field(pattern=r"^(?:#[0-9a-fA-F]{3,8}|[a-zA-Z]{2,30}|[0-9.]{1,6}(?:rem|px|%))$")


Operation = Annotated[
    AddField
    | RenameField
    | RemoveField
    | RequireField
    | ChangeTitle
    | AddFunction
    | RemoveFunction
    | AddText
    | Restyle,
    Field(discriminator="operation"),
]
OPERATIONS: TypeAdapter[tuple[Operation, ...]] = TypeAdapter(tuple[Operation, ...])
_RESERVED_FIELDS = frozenset({"id", "created_at"})
MOST_FIELDS = 12
MOST_FUNCTIONS = 12
MOST_TEXTS = 5


def apply(spec: Spec, operations: Sequence[Operation]) -> Spec:
    """Return the changed spec. Raises ChangeRefused, saying which operation cannot be done."""
    for operation in operations:
        spec = _apply(spec, operation)
    return spec


def _apply(spec: Spec, operation: Operation) -> Spec:
    match operation:
        case ChangeTitle():
            return spec.model_copy(update={"title": operation.title})
        case AddFunction():
            return _add_function(spec, operation.function)
        case RemoveFunction():
            return _remove_function(spec, operation.name)
        case AddText() | Restyle():
            return _change_page(spec, operation)
        case _:
            return _change_entity(spec, lambda fields: _change_fields(fields, operation))


def _change_entity(
    spec: Spec, change: Callable[[tuple[FieldSpec, ...]], tuple[FieldSpec, ...]]
) -> Spec:
    if spec.entity is None:
        raise ChangeRefused("This program keeps no records, so it has no fields to change.")
    fields = change(spec.entity.fields)
    entity = EntitySpec(name=spec.entity.name, plural=spec.entity.plural, fields=fields)
    return spec.model_copy(update={"entity": entity})


def _change_fields(
    fields: tuple[FieldSpec, ...], operation: AddField | RenameField | RemoveField | RequireField
) -> tuple[FieldSpec, ...]:
    known = [one.name for one in fields]
    if isinstance(operation, AddField):
        _check_new(operation.name, known)
        if len(fields) >= MOST_FIELDS:
            raise ChangeRefused(f"The app has {len(fields)} fields already, which is the most.")
        return (*fields, FieldSpec(**operation.model_dump(exclude={"operation"})))
    if operation.name not in known:
        raise ChangeRefused(f"There is no field {operation.name}. There are: {', '.join(known)}.")
    index = known.index(operation.name)
    if isinstance(operation, RemoveField):
        if index == 0:
            raise ChangeRefused(f"{operation.name} is the field that names a record; it stays.")
        return fields[:index] + fields[index + 1 :]
    if isinstance(operation, RenameField):
        _check_new(operation.new_name, known)
        update: dict[str, object] = {
            "name": operation.new_name,
            "former_name": operation.name,
        }
    else:
        update = {"is_required": operation.is_required}
    changed = fields[index].model_copy(update=update)
    return (*fields[:index], changed, *fields[index + 1 :])


def _check_new(name: str, known: Sequence[str]) -> None:
    if name in known or name in _RESERVED_FIELDS:
        raise ChangeRefused(f"There is a field {name} already.")


def _add_function(spec: Spec, function: FunctionSpec) -> Spec:
    if spec.shape != "functions":
        raise ChangeRefused("This app is not made of functions; a new one has no place in it.")
    if any(one.name == function.name for one in spec.functions):
        raise ChangeRefused(f"There is a function {function.name} already.")
    if len(spec.functions) >= MOST_FUNCTIONS:
        raise ChangeRefused(f"The program has {MOST_FUNCTIONS} functions, which is the most.")
    # A program with one command is called without its name, and shall stay so.
    only = spec.functions[0].command if len(spec.functions) == 1 else ""
    default = spec.default_command or (only if spec.blueprint == "python-cli" else "")
    functions = (*spec.functions, function)
    return spec.model_copy(update={"functions": functions, "default_command": default})


def _remove_function(spec: Spec, name: str) -> Spec:
    kept = tuple(one for one in spec.functions if one.name != name)
    if len(kept) == len(spec.functions):
        names = ", ".join(one.name for one in spec.functions)
        raise ChangeRefused(f"There is no function {name}. There are: {names or 'none'}.")
    if not kept:
        raise ChangeRefused(f"{name} is the only thing the program does; it stays.")
    commands = [one.command for one in kept]
    is_gone = spec.default_command not in commands
    default = commands[0] if spec.blueprint == "python-cli" and is_gone else spec.default_command
    return spec.model_copy(update={"functions": kept, "default_command": default})


def _change_page(spec: Spec, operation: AddText | Restyle) -> Spec:
    if spec.blueprint == "python-cli":
        raise ChangeRefused("A command-line program has no page to change.")
    if isinstance(operation, Restyle):
        style = {**spec.style, operation.property: operation.value}
        return spec.model_copy(update={"style": style})
    if operation.text in spec.texts or len(spec.texts) >= MOST_TEXTS:
        raise ChangeRefused(f"The page has this text already, or {MOST_TEXTS} others.")
    return spec.model_copy(update={"texts": (*spec.texts, operation.text)})


def describe(operation: Operation) -> str:
    """Say an operation in a few words, for the plan and the history."""
    match operation:
        case AddField():
            return f"add the field {operation.name} ({operation.type})"
        case RenameField():
            return f"rename the field {operation.name} to {operation.new_name}"
        case RemoveField():
            return f"remove the field {operation.name}"
        case RequireField():
            return f"make {operation.name} {'required' if operation.is_required else 'optional'}"
        case ChangeTitle():
            return f"change the title to {operation.title}"
        case AddFunction():
            return f"add {operation.function.name}"
        case RemoveFunction():
            return f"remove {operation.name}"
        case AddText():
            return f"add the text {operation.text!r}"
        case Restyle():
            return f"set the page's {operation.property} to {operation.value}"
