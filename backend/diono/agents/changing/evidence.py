"""What shows that a change was made: checks that fail on the app as it was."""

from collections.abc import Sequence

from diono.agents import qa
from diono.agents.changing import appearance
from diono.agents.changing.operations import (
    AddField,
    AddFunction,
    AddText,
    ChangeTitle,
    Operation,
    RemoveField,
    RemoveFunction,
    RenameField,
    RequireField,
    Restyle,
)
from diono.agents.generators import fastapi_app
from diono.agents.proof import CliCase, Expectation, HttpRequest, PageCase, Proof
from diono.agents.spec import Built, EntitySpec, FieldSpec, Spec

_MAIN = ("python3", "main.py")


def evidence_for(operations: Sequence[Operation], after: Spec, built: Sequence[Built]) -> Proof:
    """Return checks of each operation on the changed app; ``built`` are its new functions."""
    proofs = [_of(operation, after, built) for operation in operations]
    requests: list[HttpRequest] = []
    expectations: list[Expectation] = []
    for proof in proofs:
        shift = len(requests)
        requests += proof.requests
        expectations += [
            Expectation(one.name, one.index + shift, one.status, one.contains, one.fields)
            for one in proof.http
        ]
    return Proof(
        cli=tuple(case for proof in proofs for case in proof.cli),
        pages=tuple(case for proof in proofs for case in proof.pages),
        requests=tuple(requests),
        http=tuple(expectations),
    )


def _of(operation: Operation, after: Spec, built: Sequence[Built]) -> Proof:
    match operation:
        case ChangeTitle():
            return _title(after)
        case AddFunction():
            made = [one for one in built if one.function.name == operation.function.name]
            return _new_functions(after, made)
        case RemoveFunction():
            return _removed_function(after, operation.name)
        case AddText(text=text):
            return appearance.evidence(after.model_copy(update={"texts": (text,), "style": {}}))
        case Restyle(property=name, value=value):
            rule = {"texts": (), "style": {name: value}}
            return appearance.evidence(after.model_copy(update=rule))
        case _ if after.entity is not None:
            return _fields(operation, after, after.entity)
        case _:
            return Proof()


def _title(after: Spec) -> Proof:
    if after.shape == "records":
        return Proof(
            requests=(HttpRequest("GET", "/"),),
            http=(Expectation("the page has the new title", 0, 200, (qa.html(after.title),)),),
        )
    if after.blueprint == "static-web":
        return Proof(
            pages=(PageCase("the page has the new title", ({"read": "h1"},), (after.title,)),)
        )
    name = "the help has the new title"
    return Proof(cli=(CliCase(name, (*_MAIN, "--help"), contains=(after.title.split()[0],)),))


def _new_functions(after: Spec, built: Sequence[Built]) -> Proof:
    if after.blueprint == "static-web":
        return Proof(pages=qa.form_cases(built))
    return Proof(cli=qa.command_cases(built, is_single=False))


def _removed_function(after: Spec, name: str) -> Proof:
    if after.blueprint == "static-web":
        case = PageCase(f"{name} is gone from the page", ({"count": f"#{name}"},), (0,))
        return Proof(pages=(case,))
    command = name.replace("_", "-")
    case = CliCase(f"{command} is gone from the help", (*_MAIN, "--help"), lacks=(command,))
    return Proof(cli=(case,))


def _fields(operation: Operation, after: Spec, entity: EntitySpec) -> Proof:
    if after.shape == "local_records":
        return Proof(pages=_inputs(operation))
    listing = f"/api/{entity.plural}"
    sample = fastapi_app.sample(entity, 0)
    add = HttpRequest("POST", listing, sample)
    clean = HttpRequest("DELETE", f"{listing}/{{id}}")
    match operation:
        case AddField(name=name) | RenameField(new_name=name):
            shown = Expectation(f"the page asks for {name}", 2, 200, (f'name="{name}"',))
            return Proof(
                requests=(add, HttpRequest("GET", f"{listing}/{{id}}"), HttpRequest("GET", "/"),
                          clean),
                http=(
                    Expectation(f"{name} is stored", 0, 201, fields={name: sample[name]}),
                    Expectation(f"{name} is read back", 1, 200, fields={name: sample[name]}),
                    shown,
                ),
            )  # fmt: skip
        case RemoveField(name=name):
            value = fastapi_app.sample_value(FieldSpec(name=name), 0)
            body = {**sample, name: value}
            gone = Expectation(f"{name} is no longer accepted", 0, 422)
            return Proof(requests=(HttpRequest("POST", listing, body),), http=(gone,))
        case RequireField(name=name, is_required=is_required):
            body = {key: value for key, value in sample.items() if key != name}
            status = 422 if is_required else 201
            word = "required" if is_required else "optional"
            expected = Expectation(f"{name} is {word}", 0, status)
            requests = (HttpRequest("POST", listing, body), *(() if is_required else (clean,)))
            return Proof(requests=requests, http=(expected,))
        case _:
            return Proof()


def _inputs(operation: Operation) -> tuple[PageCase, ...]:
    match operation:
        case AddField(name=name) | RenameField(new_name=name):
            count, word = 1, "asks for"
        case RemoveField(name=name):
            count, word = 0, "no longer asks for"
        case RequireField(name=name, is_required=is_required):
            selector = f"[name={name}][required]"
            case = PageCase(
                f"{name} is {'required' if is_required else 'optional'}",
                ({"count": selector},),
                (int(is_required),),
            )
            return (case,)
        case _:
            return ()
    return (PageCase(f"the page {word} {name}", ({"count": f"[name={name}]"},), (count,)),)
