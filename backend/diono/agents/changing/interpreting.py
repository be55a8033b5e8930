"""From a change request to operations: what is plain is read, the rest is asked of the model."""

from pydantic import ValidationError

from diono.agents import schemas, spec_rules, text
from diono.agents.asking import ask_json
from diono.agents.changing.operations import OPERATIONS, AddField, AddFunction, Operation
from diono.agents.changing.reading import NO_FIELD, read_request
from diono.agents.meter import Run
from diono.agents.product_manager import plan_functions, request_of
from diono.agents.prompting import messages
from diono.agents.shapes import dict_of, list_of
from diono.agents.spec import EntitySpec, Spec

MOST_OPERATIONS = 4
MOST_NEW_FUNCTIONS = 1


async def interpret(run: Run, request: str, spec: Spec) -> tuple[Operation, ...]:
    """Return what to do; empty if the request fits none of the operations."""
    plain = read_request(request, spec)
    if plain:
        return plain
    if spec.entity is not None:
        return await _ask_for_fields(run, request, spec, spec.entity)
    if spec.shape == "functions":
        return await _ask_for_functions(run, request, spec)
    return ()


async def _ask_for_fields(
    run: Run, request: str, spec: Spec, entity: EntitySpec
) -> tuple[Operation, ...]:
    fields = ", ".join(f"{one.name} ({one.type})" for one in entity.fields)
    chat = messages("changes", request=request_of(request), plural=entity.plural, fields=fields)
    raw = await ask_json(run, "read the change", chat, schemas.CHANGES, 200)
    operations: list[Operation] = []
    for item in list_of(dict_of(raw).get("changes"))[:MOST_OPERATIONS]:
        operation = _operation(dict_of(item))
        # A small model likes to repeat the example or the app: only what was named counts.
        if operation is not None and _is_grounded(operation, request):
            operations.append(operation)
    return tuple(operations)


def _operation(values: dict[str, object]) -> Operation | None:
    named = {key: value for key, value in values.items() if value not in ("", None)}
    for key in ("name", "new_name"):
        if key in named:
            named[key] = text.snake(str(named[key]), "")
    try:
        [operation] = OPERATIONS.validate_python([named])
    except ValidationError:
        return None
    if isinstance(operation, AddField):
        field = spec_rules.field_from({"name": operation.name, "type": operation.type})
        return operation.model_copy(update={"type": field.type}) if field else None
    return operation


def _is_grounded(operation: Operation, request: str) -> bool:
    names = [getattr(operation, key, "") for key in ("name", "new_name")]
    if isinstance(operation, AddField) and NO_FIELD.intersection(operation.name.split("_")):
        return False
    return all(text.overlap(name, request) > 0 for name in names if name)


async def _ask_for_functions(run: Run, request: str, spec: Spec) -> tuple[Operation, ...]:
    known = {one.name for one in spec.functions}
    planned = await plan_functions(run, request)
    new = [one for one in planned if one.name not in known and text.overlap(one.name, request) > 0]
    return tuple(
        AddFunction(function=one.model_copy(update={"is_required": True}))
        for one in new[:MOST_NEW_FUNCTIONS]
    )
