"""Completing and correcting a model's plan: whatever came in, a valid spec goes out."""

import re
from typing import Any, cast, get_args

from diono.agents import text
from diono.agents.shapes import dict_of, is_list, list_of
from diono.agents.spec import (
    EntitySpec,
    FieldSpec,
    FieldType,
    FunctionSpec,
    Parameter,
    ResultType,
    ValueType,
)

_FILE_NAME = re.compile(r"(?:^|_)(?:file|path|filename|filepath|document)(?:_|$)")
_DOCUMENT = re.compile(r"(?:^|_)(?:json|csv|xml|yaml|html|markdown|log|toml)(?:_|$)")
_OUTPUT = re.compile(r"(?:^|_)(?:output|out|dest|destination|target|save|result)(?:_|$)")
_FILE_PARTS = frozenset(("file", "path", "filename", "filepath", "document", "input", "text"))
_TALKS = re.compile(
    r"^(?:display|show|print|input|render|read|write|save|load|open|ask|get_user)(?:_|$)"
)
_NOUNS_OF_TALK = frozenset(
    ("file", "input", "data", "result", "results", "output", "menu", "page", "help", "usage")
)
_ENDS = (Parameter(name="from_unit"), Parameter(name="to_unit"))
_UNIT = re.compile(r"(?:^|_)(?:unit|scale)$")
_SELECTION = re.compile(
    r"(?:^|_)(?:unit|mode|kind|operation|operator|method|style|direction|scale|system|level|"
    r"currency|category|format)(?:_|$)"
)
_RESERVED = frozenset(
    [
        "main",
        "run",
        "print",
        "input",
        "help",
        "version",
        "output",
        "command",
        "and",
        "as",
        "assert",
        "async",
        "await",
        "break",
        "class",
        "continue",
        "def",
        "del",
        "elif",
        "else",
        "except",
        "false",
        "finally",
        "for",
        "from",
        "global",
        "if",
        "import",
        "in",
        "is",
        "lambda",
        "none",
        "nonlocal",
        "not",
        "or",
        "pass",
        "raise",
        "return",
        "true",
        "try",
        "while",
        "with",
        "yield",
        "new",
        "var",
        "let",
        "const",
        "function",
        "this",
        "default",
        "switch",
        "case",
        "delete",
        "void",
        "typeof",
    ]
)
_HIDDEN_FIELDS = frozenset({"id", "created_at", "updated_at", "created", "updated", "timestamp"})
_TITLE_FIELDS = ("title", "name", "subject", "text", "content", "description", "label")
_LONG_FIELDS = frozenset({"content", "body", "description", "notes", "details", "text"})
_FLAG_FIELDS = re.compile(r"^(?:is_|has_)|^(?:done|completed|complete|finished|active|paid|read)$")
_DATE_FIELDS = re.compile(r"(?:^|_)(?:date|day|deadline|birthday)$")


def functions_from(raw: Any, prompt: str) -> tuple[FunctionSpec, ...]:
    """Read the planned functions; unusable ones are left out. May be empty."""
    items = list_of(dict_of(raw).get("functions")) or list_of(raw)
    found: dict[str, FunctionSpec] = {}
    for item in items[:4]:
        function = _function(dict_of(item), prompt)
        if function is not None and function.name not in found:
            found[function.name] = function
    return _with_requirement(tuple(found.values()), prompt)


def _function(item: dict[str, Any], prompt: str) -> FunctionSpec | None:
    name = _TALKS.sub("", text.snake(str(item.get("name", "")), ""))
    description = text.one_line(str(item.get("description", "")), 160)
    returns = str(item.get("returns", "str"))
    parameters = _parameters(
        list_of(item.get("parameters")), name, prompt, returns in ("int", "float")
    )
    if len(name) < 2 or name in _NOUNS_OF_TALK or not parameters:
        return None
    is_known = returns in get_args(ResultType)
    if not is_known or (returns == "bool" and _writes_a_file(item)):
        returns = "str"
    return FunctionSpec(
        name=name,
        description=description or name.replace("_", " ").capitalize(),
        parameters=parameters,
        returns=cast(ResultType, returns),
    )


def _writes_a_file(item: dict[str, Any]) -> bool:
    names = [str(dict_of(one).get("name", "")) for one in list_of(item.get("parameters"))]
    return sum(bool(_FILE_NAME.search(name) or _OUTPUT.search(name)) for name in names) > 0


def _parameters(
    raw: list[Any], function: str, prompt: str, is_numeric: bool
) -> tuple[Parameter, ...]:
    found: dict[str, Parameter] = {}
    for item in raw[:6]:
        values = dict_of(item)
        name = text.snake(str(values.get("name", "")), "")
        kind = str(values.get("type", "str"))
        if not name:
            continue
        name = f"{name}_value" if name in _RESERVED else name
        kind = kind if kind in get_args(ValueType) else "str"
        is_output = bool(_OUTPUT.search(name) and (_FILE_NAME.search(name) or found))
        if is_output or (_FILE_NAME.search(name) and any(one.is_file for one in found.values())):
            continue
        parameter = _parameter(name, cast(ValueType, kind), prompt)
        found.setdefault(parameter.name, parameter)
    return _with_defaults(_both_units(function, tuple(found.values()), is_numeric))


def _parameter(name: str, kind: ValueType, prompt: str) -> Parameter:
    if kind != "str":
        return Parameter(name=name, type=kind)
    wants_file = re.search(r"\bfiles?\b", prompt, re.IGNORECASE) is not None
    if _FILE_NAME.search(name):
        rest = [part for part in name.split("_") if part not in _FILE_PARTS]
        plain = "_".join(rest)
        return Parameter(
            name=f"{plain}_text" if plain and plain != "text" else "text", is_file=True
        )
    is_document = _DOCUMENT.search(name) is not None or (wants_file and name in {"text", "content"})
    return Parameter(name=name, is_file=is_document and not _SELECTION.search(name))


def _both_units(
    function: str, parameters: tuple[Parameter, ...], is_numeric: bool
) -> tuple[Parameter, ...]:
    # A conversion that knows one unit only cannot be written: it needs both ends.
    units = [one for one in parameters if one.type == "str" and _UNIT.search(one.name)]
    numbers = [one for one in parameters if one.type in ("int", "float")]
    is_open = "convert" in function and "_to_" not in function and bool(numbers)
    if is_open and len(parameters) == len(numbers) and is_numeric:
        return (Parameter(name="value", type="float"), *_ENDS)
    if "convert" not in function or len(units) != 1:
        return parameters
    others = tuple(one for one in parameters if one is not units[0])
    kind = "scale" if units[0].name.endswith("scale") else "unit"
    return (*others, Parameter(name=f"from_{kind}"), Parameter(name=f"to_{kind}"))


def _with_defaults(parameters: tuple[Parameter, ...]) -> tuple[Parameter, ...]:
    flags = sum(one.type == "bool" for one in parameters)
    return tuple(
        one.model_copy(update={"default": flags > 1}) if one.type == "bool" else one
        for one in parameters
    )


def _with_requirement(functions: tuple[FunctionSpec, ...], prompt: str) -> tuple[FunctionSpec, ...]:
    """Required are the functions closest to the words of the request; the rest is extra."""
    marks = [text.overlap(one.name, prompt) for one in functions]
    best = max(marks, default=0.0)
    return tuple(
        one.model_copy(update={"is_required": mark >= best})
        for one, mark in zip(functions, marks, strict=True)
    )


def wants_choices(parameter: Parameter) -> bool:
    return parameter.type == "str" and bool(_SELECTION.search(parameter.name))


def choices_from(raw: Any) -> tuple[str, ...]:
    """Read the allowed values of a parameter; fewer than two are no choice."""
    lists = [list_of(value) for value in dict_of(raw).values() if is_list(value)]
    values = list_of(raw) or (lists[0] if lists else [])
    cleaned = (text.one_line(str(one), 20) for one in values if isinstance(one, str))
    unique = tuple(dict.fromkeys(one for one in cleaned if re.fullmatch(r"[^\s-][^'\"]*", one)))
    return unique[:4] if len(unique) > 1 else ()


def entity_from(raw: Any, prompt: str) -> EntitySpec | None:
    """Read the planned entity, or None if it is unusable."""
    values = dict_of(raw)
    name = text.singular(text.snake(str(values.get("name", "")), ""))
    fields: dict[str, FieldSpec] = {}
    for item in list_of(values.get("fields"))[:8]:
        field = field_from(dict_of(item))
        if field is not None:
            fields.setdefault(field.name, field)
    if not name or name in _RESERVED or not fields:
        return None
    if text.overlap(name, prompt) == 0.0:
        name = _noun_of(prompt) or name
    return _entity(name, tuple(fields.values())[:6])


def field_from(values: dict[str, Any]) -> FieldSpec | None:
    """Read one field; its name says more of its type than a small model does."""
    name = text.snake(str(values.get("name", "")), "")
    kind = str(values.get("type", "text"))
    is_hidden = name in _HIDDEN_FIELDS or name.endswith("_id")
    if not name or is_hidden or name in _RESERVED:
        return None
    kind = kind if kind in get_args(FieldType) else "text"
    if _FLAG_FIELDS.search(name):
        kind = "boolean"
    elif _DATE_FIELDS.search(name):
        kind = "date"
    elif name in _TITLE_FIELDS or name in _LONG_FIELDS:
        kind = "long_text" if name in _LONG_FIELDS else "text"
    return FieldSpec(name=name, type=cast(FieldType, kind))


def _entity(name: str, fields: tuple[FieldSpec, ...]) -> EntitySpec:
    texts = [one.name for one in fields if one.type in ("text", "long_text")]
    lead = next((one for one in _TITLE_FIELDS if one in texts), texts[0] if texts else "")
    if not lead:
        lead, fields = "title", (FieldSpec(name="title"), *fields)
    first = next(one for one in fields if one.name == lead)
    rest = tuple(one for one in fields if one.name != lead)
    required = first.model_copy(update={"is_required": True})
    return EntitySpec(name=name, plural=text.plural(name), fields=(required, *rest))


def _noun_of(prompt: str) -> str:
    found = [word for word in text.content_words(prompt) if word.replace("-", "").isalpha()]
    noun = next(
        (one for one in found if one.endswith("s") and len(one) > 3), found[0] if found else ""
    )
    name = text.singular(text.snake(noun.replace("-", ""), ""))
    return "" if name in _RESERVED else name


def default_entity(prompt: str) -> EntitySpec:
    """A plain entity from the nouns of the request, for when no plan came."""
    fields = (
        FieldSpec(name="title"),
        FieldSpec(name="details", type="long_text"),
        FieldSpec(name="done", type="boolean"),
    )
    return _entity(_noun_of(prompt) or "item", fields)
