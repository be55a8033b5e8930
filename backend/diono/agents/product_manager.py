"""The ProductManager: from one sentence to a small typed spec, with the model's help."""

import asyncio
from collections.abc import Sequence

from diono.agents import schemas, spec_rules, text
from diono.agents.asking import ask_json
from diono.agents.blueprints import Blueprint, BlueprintCatalog
from diono.agents.coverage import unspoken
from diono.agents.known import conversions, measures
from diono.agents.meter import Run
from diono.agents.port import JsonObject
from diono.agents.prompting import messages
from diono.agents.shapes import dict_of
from diono.agents.signatures import python_signature
from diono.agents.spec import FunctionSpec, Parameter, Shape, Spec

REQUEST_LIMIT = 2000
FALLBACK = "python-cli"
_COUNTS_UP = ("stopwatch", "count up", "count-up", "counts up", "elapsed", "clock")


def request_of(prompt: str) -> str:
    """Return the part of a request that goes into prompts."""
    return prompt.strip()[:REQUEST_LIMIT]


async def choose_blueprint(run: Run, prompt: str, catalog: BlueprintCatalog) -> Blueprint:
    """Choose by keywords; the model only breaks ties."""
    choice = catalog.choose(prompt)
    if choice.is_clear:
        return catalog.get(choice.names[0])
    kinds = "\n".join(f"- {name}: {catalog.get(name).facts.description}" for name in choice.names)
    chat = messages("blueprint", request=request_of(prompt), kinds=kinds)
    raw = await ask_json(run, "choose blueprint", chat, schemas.kinds(choice.names), 40)
    answered = dict_of(raw).get("kind")
    names = [name for name in choice.names if name == answered]
    fallback = FALLBACK if FALLBACK in choice.names else choice.names[0]
    return catalog.get(names[0] if names else fallback)


async def write_spec(run: Run, prompt: str, blueprint: Blueprint) -> Spec:
    """Return a valid spec, whatever the model says."""
    shape = blueprint.shape_for(prompt)
    title, summary = await _texts(run, prompt)
    spec = Spec(
        name=text.snake("_".join(text.content_words(prompt)[:4]), "program"),
        title=title,
        summary=summary,
        blueprint=blueprint.name,
        shape=shape,
        counts_down=not any(word in prompt.lower() for word in _COUNTS_UP),
    )
    if shape in ("records", "local_records"):
        return await _with_entity(run, prompt, spec)
    if shape == "ticker":
        functions = _ticker_functions(spec.counts_down)
        return spec.model_copy(update={"functions": functions, "origin": "model"})
    return await _with_functions(run, prompt, spec)


async def _texts(run: Run, prompt: str) -> tuple[str, str]:
    chat = messages("texts", request=request_of(prompt))
    raw = await ask_json(run, "title and summary", chat, schemas.TEXTS, 120)
    values = dict_of(raw)
    title = text.one_line(str(values.get("title") or ""), 50)
    summary = text.one_line(str(values.get("summary") or ""), 160)
    return title or text.title_from(prompt), summary or text.one_line(prompt, 160)


async def _with_entity(run: Run, prompt: str, spec: Spec) -> Spec:
    chat = messages("entity", request=request_of(prompt))
    raw = await ask_json(run, "entity", chat, schemas.ENTITY, 250)
    entity = spec_rules.entity_from(raw, prompt)
    if entity is None:
        return spec.model_copy(update={"entity": spec_rules.default_entity(prompt)})
    return spec.model_copy(update={"entity": entity, "origin": "model"})


async def plan_functions(
    run: Run, prompt: str, missing: Sequence[str] = ()
) -> tuple[FunctionSpec, ...]:
    """Return the functions that the model plans for a request, completed; may be empty.
    ``missing`` is what an earlier plan did not speak of."""
    hint = f"The program is also about: {', '.join(missing)}. Plan for it." if missing else ""
    chat = messages("functions", request=request_of(prompt), hint=hint)
    step = "functions again" if missing else "functions"
    raw = await ask_json(run, step, chat, schemas.FUNCTIONS, 500)
    functions = spec_rules.functions_from(raw, prompt)
    if any(conversions.is_possible(one) for one in functions):
        await run.step("load the units", _load_units)
        functions = conversions.settle(functions, prompt)
    return tuple([await _with_choices(run, prompt, function) for function in functions])


async def _load_units() -> JsonObject:
    await asyncio.to_thread(measures.load)
    return {}


async def _with_functions(run: Run, prompt: str, spec: Spec) -> Spec:
    chosen = await plan_functions(run, prompt)
    missing = unspoken(prompt, chosen) if chosen else ()
    if missing:
        again = await plan_functions(run, prompt, missing)
        if again and len(unspoken(prompt, again)) < len(missing):
            chosen = again
    origin = "model" if chosen else "default"
    summary = conversions.summary_of(chosen) or spec.summary
    return spec.model_copy(update={"functions": chosen, "origin": origin, "summary": summary})


async def _with_choices(run: Run, prompt: str, function: FunctionSpec) -> FunctionSpec:
    parameters: list[Parameter] = []
    known: dict[str, tuple[str, ...]] = {}
    for parameter in function.parameters:
        kind = parameter.name.rsplit("_", 1)[-1]
        if not parameter.choices and spec_rules.wants_choices(parameter):
            if kind not in known:
                known[kind] = await _choices(run, prompt, function, parameter)
            parameter = parameter.model_copy(update={"choices": known[kind]})  # noqa: PLW2901
        parameters.append(parameter)
    return function.model_copy(update={"parameters": tuple(parameters)})


async def _choices(
    run: Run, prompt: str, function: FunctionSpec, parameter: Parameter
) -> tuple[str, ...]:
    chat = messages(
        "choices",
        request=request_of(prompt),
        signature=python_signature(function),
        parameter=parameter.name,
    )
    raw = await ask_json(run, f"choices of {parameter.name}", chat, schemas.CHOICES, 120)
    return spec_rules.choices_from(raw)


def _ticker_functions(counts_down: bool) -> tuple[FunctionSpec, ...]:
    # What a ticking page needs is known; how it is done is the model's part.
    step = (
        "Count down: return the seconds left one second later, one less than given, never below 0."
        if counts_down
        else "Count up: return the seconds one second later, one more than given."
    )
    return (
        FunctionSpec(
            name="next_second",
            description=step,
            parameters=(Parameter(name="seconds", type="int"),),
            returns="int",
        ),
        FunctionSpec(
            name="format_time",
            description="Write a number of seconds as HH:MM:SS, each part with two digits.",
            parameters=(Parameter(name="total_seconds", type="int"),),
            returns="str",
        ),
    )


def product_requirements(prompt: str, spec: Spec, shape: Shape) -> str:
    """Write PRD.md: the spec for people."""
    lines = [f"# {spec.title}", "", spec.summary, "", "## Request", ""]
    lines += [f"> {line}" for line in request_of(prompt).splitlines()]
    lines += ["", "## What it does", ""]
    for function in spec.functions:
        extra = "" if function.is_required else " (extra)"
        lines.append(f"- `{function.command}`: {function.description}{extra}")
    if spec.entity is not None:
        names = ", ".join(f"{one.name} ({one.type})" for one in spec.entity.fields)
        lines.append(f"- keeps {spec.entity.plural}: {names}")
        lines.append("- add, list, search, change and delete them" if shape == "records" else "")
    if not spec.functions and spec.entity is None:
        lines.append("- nothing could be planned for this request")
    lines += ["", f"Blueprint: {spec.blueprint}, shape: {shape}, plan by: {spec.origin}.", ""]
    return "\n".join(lines)
