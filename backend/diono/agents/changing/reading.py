"""Reading a change request: plain patterns for what people usually ask, before any model."""

import re
from collections.abc import Sequence

from diono.agents import spec_rules, text
from diono.agents.changing.appearance import read_appearance
from diono.agents.changing.operations import (
    AddField,
    ChangeTitle,
    Operation,
    RemoveField,
    RemoveFunction,
    RenameField,
    RequireField,
)
from diono.agents.spec import FieldType, FunctionSpec, Spec

_FIELD = r"(?:fields?|columns?|attributes?|propert(?:y|ies)|inputs?)"
_RENAME = re.compile(
    rf"\brename (?:the )?(?:{_FIELD} )?(.+?)(?: {_FIELD})? (?:to|as|into) (.+)", re.IGNORECASE
)
_TITLE = re.compile(
    r"\b(?:(?:re)?name|call|change|set) (?:the |its |this )?"
    r"(?:title|heading|name of the app|app|application|program|page|site)(?: title| name)?"
    r"(?: to| as)? (.+)",
    re.IGNORECASE,
)
_NO_TITLE = re.compile(
    r"(?:background|colou?r|style|font|text|theme|layout|look|design|so that)\b", re.IGNORECASE
)
_REMOVE = re.compile(
    rf"\b(?:remove|delete|drop|get rid of|take out) (?:the )?(?:{_FIELD} )?(.+)", re.IGNORECASE
)
_REQUIRE = re.compile(
    rf"\b(?:make|mark|set)? ?(?:the )?(?:{_FIELD} )?([\w -]+?)(?: {_FIELD})? (?:as |should be |"
    r"must be |is |to be )?(required|mandatory|obligatory|optional)\b",
    re.IGNORECASE,
)
_ADD = re.compile(
    r"\b(?:add|include|store|keep|track|record|save|have|give|introduce|"
    r"(?:needs?|wants?)(?! to\b))\b"
    r"(?: (?:also|each|every|all|the)\b[\w -]*? (?=an? ))?(?: also)? (.+)",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"\b(?:to|for|on|in|of|with|so that|which|that|when|because|where)\b.*", re.IGNORECASE
)
_AS_TYPE = re.compile(
    r"\b(?:as an?|of type|\()\s*(text|string|number|integer|date|boolean|checkbox|flag|yes/no|"
    r"long text|multi-?line text)\b.*",
    re.IGNORECASE,
)
_TYPES: dict[str, FieldType] = {
    "text": "text",
    "string": "text",
    "number": "number",
    "integer": "integer",
    "date": "date",
    "boolean": "boolean",
    "checkbox": "boolean",
    "flag": "boolean",
    "yes/no": "boolean",
    "long text": "long_text",
    "multiline text": "long_text",
    "multi-line text": "long_text",
}
_TYPE_OF_NOUN: dict[FieldType, tuple[str, ...]] = {
    "number": ("price", "cost", "amount", "weight", "height", "rate", "total", "budget", "fee"),
    "integer": ("quantity", "count", "number", "age", "year", "rating", "score", "stock", "pages"),
    "date": ("date", "deadline", "birthday", "day", "due"),
    "long_text": ("notes", "note", "description", "comment", "comments", "details"),
    "boolean": ("flag", "checkbox"),
}
NO_FIELD = frozenset(
    text.words(
        "endpoint route button page command function search filter sort sorting export import "
        "login authentication chart graph style theme mode color colour background dark light test "
        "tests feature support option way validation pagination undo notification api reminder"
    )
)
_EMPTY_WORDS = frozenset(
    text.words(
        "a an the new another extra additional optional required mandatory also field column "
        "attribute called named please and property input"
    )
)


def read_request(request: str, spec: Spec) -> tuple[Operation, ...]:
    """Return the operations that a request plainly asks for; empty if it is not plain."""
    sentence = text.one_line(request, 400).strip().rstrip(".!")
    known = [one.name for one in spec.entity.fields] if spec.entity else []
    is_field = re.search(rf"\b{_FIELD}\b", sentence, re.IGNORECASE) and bool(known)
    looks = read_appearance(sentence, spec)
    if looks:
        return looks
    title = None if is_field else _title(sentence)
    if title is not None:
        return (title,)
    if spec.entity is not None:
        return _field_changes(sentence, known)
    removed = _REMOVE.search(sentence)
    if removed:
        found = _known_name(removed[1], [one.name for one in spec.functions])
        found = found or _described(removed[1], spec.functions)
        return (RemoveFunction(name=found),) if found else ()
    return ()


def _described(phrase: str, functions: Sequence[FunctionSpec]) -> str:
    """Return the function that a whole description means: every word of its name occurs, and in
    this order in no other's; empty if that is not plain."""
    asked = [word for word in text.words(phrase) if word not in text.STOP_WORDS]
    meant: list[str] = []
    for one in functions:
        own = [word for word in one.name.split("_") if word not in text.STOP_WORDS]
        rest = iter(asked)
        if own and all(any(text.share_a_stem(word, other) for other in rest) for word in own):
            meant.append(one.name)
    return meant[0] if len(meant) == 1 else ""


def _field_changes(sentence: str, known: Sequence[str]) -> tuple[Operation, ...]:
    renamed = _RENAME.search(sentence)
    if renamed:
        old, new = _known_name(renamed[1], known), _name_of(renamed[2])
        return (RenameField(name=old, new_name=new),) if old and new else ()
    required = _REQUIRE.search(sentence)
    if required:
        name = _known_name(required[1], known)
        if name:
            return (RequireField(name=name, is_required=required[2].lower() != "optional"),)
    removed = _REMOVE.search(sentence)
    if removed:
        names = [_known_name(part, known) for part in _parts(removed[1])]
        return tuple(RemoveField(name=name) for name in names if name) if all(names) else ()
    added = _ADD.search(sentence)
    return _added(added[1]) if added else ()


def _title(sentence: str) -> ChangeTitle | None:
    found = _TITLE.search(sentence)
    title = text.one_line(found[1].strip().strip("\"'`“”‘’"), 50) if found else ""  # noqa: RUF001
    return ChangeTitle(title=title) if title and not _NO_TITLE.match(title) else None


def _added(phrase: str) -> tuple[Operation, ...]:
    operations: list[Operation] = []
    kind_given = _AS_TYPE.search(phrase)
    plain = _PLACE.sub("", _AS_TYPE.sub("", phrase))
    for part in _parts(plain):
        name = _name_of(part)
        if not name:
            return ()
        # A field that is there already is refused with that reason, not left to the model.
        given = _TYPES.get(kind_given[1].lower()) if kind_given else None
        field = spec_rules.field_from({"name": name, "type": given or _type_of(name)})
        if field is None:
            return ()
        kind = given or field.type
        is_required = re.search(r"\b(?:required|mandatory)\b", part, re.IGNORECASE) is not None
        operations.append(AddField(name=name, type=kind, is_required=is_required))
    return tuple(operations[:4])


def _parts(phrase: str) -> list[str]:
    plain = _PLACE.sub("", phrase)
    return [part for part in re.split(r",|\band\b", plain) if part.strip()]


def _name_of(phrase: str) -> str:
    """Return the field name that a noun phrase stands for; empty if it is none."""
    words = [word for word in text.words(_PLACE.sub("", phrase)) if word not in _EMPTY_WORDS]
    if not 1 <= len(words) <= 3 or NO_FIELD.intersection(words):
        return ""
    return text.snake("_".join(words), "")


def _known_name(phrase: str, known: Sequence[str]) -> str:
    """Return the known name that a phrase means: all its words, in the phrase's own words."""
    words = [word for word in text.words(_PLACE.sub("", phrase)) if word not in _EMPTY_WORDS]
    exact = "_".join(words)
    if exact in known:
        return exact
    scored = [(text.overlap(name, " ".join(words)), name) for name in known]
    best = max(scored, default=(0.0, ""))
    is_only = sum(score == best[0] for score, _ in scored) == 1
    return best[1] if best[0] >= 0.5 and is_only else ""


def _type_of(name: str) -> FieldType:
    parts = name.split("_")
    for kind, nouns in _TYPE_OF_NOUN.items():
        if any(part in nouns for part in parts):
            return kind
    return "text"
