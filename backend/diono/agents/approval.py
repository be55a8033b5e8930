"""Showing the plan and taking it back, perhaps edited: what a user wrote is checked like any
input."""

import keyword
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from diono.agents import architect
from diono.agents.errors import PlanRefused
from diono.agents.meter import Run
from diono.agents.port import JsonObject, Question
from diono.agents.roles.definition import path_problem
from diono.agents.shapes import dict_of, is_dict, list_of
from diono.agents.spec import EntitySpec, FunctionSpec, Plan, PlanItem, Spec

ASKS = 2
_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True)
class Approved:
    """``end`` is empty if the plan was approved; else how the run ends, and ``reason`` why."""

    spec: Spec
    plan: Plan
    end: Literal["", "FAILED", "CANCELLED"] = ""
    reason: str = ""


async def approve(run: Run, spec: Spec, plan: Plan, seconds: float) -> Approved:
    """Ask for the plan to be approved, within ``seconds`` each time; after an edit that cannot be
    used, once more."""
    problem = ""
    for number in range(1, ASKS + 1):
        question = _question(spec, plan, number, problem)
        decision = await run.stage.decide(question.model_copy(update={"expires_seconds": seconds}))
        if decision.is_expired:
            reason = "Nobody approved the plan in time. Start the task again and approve it."
            return Approved(spec, plan, "FAILED", reason)
        if not decision.is_approved:
            said = f": {decision.text.strip()[:200]}" if decision.text.strip() else ""
            return Approved(spec, plan, "CANCELLED", f"The plan was not approved{said}.")
        try:
            return edited(spec, plan, decision.details)
        except PlanRefused as error:
            problem = error.detail
            await run.log(f"The edited plan cannot be used: {problem}", "warning")
    return Approved(spec, plan, "FAILED", f"The edited plan cannot be used: {problem}")


def _question(spec: Spec, plan: Plan, number: int, problem: str) -> Question:
    files = ", ".join(one.path for one in plan.items)
    text = f"Build {spec.title}? Files: {files}."
    if problem:
        text = f"The edited plan cannot be used: {problem} Mend it, or approve the plan as it was."
    details: JsonObject = {
        "plan": plan.model_dump(mode="json"),
        "spec": spec.model_dump(mode="json"),
        "problem": problem,
    }
    return Question(
        key="plan" if number == 1 else f"plan.{number}",
        kind="plan",
        text=text,
        choices=("approve", "reject"),
        details=details,
    )


def edited(spec: Spec, plan: Plan, details: Mapping[str, Any]) -> Approved:
    """Return what the user made of spec and plan. Raises PlanRefused, saying what is wrong."""
    raw_spec, raw_plan = details.get("spec"), details.get("plan")
    if raw_spec is not None and raw_spec != spec.model_dump(mode="json"):
        spec = _edited_spec(spec, raw_spec)
        plan = architect.plan_for(spec)
    if raw_plan is None or raw_plan == plan.model_dump(mode="json"):
        return Approved(spec, plan)
    plan = _edited_plan(spec, plan, raw_plan)
    kept = {one.function for one in plan.items}
    functions = tuple(one for one in spec.functions if one.name in kept)
    if spec.functions and not functions:
        raise PlanRefused("The plan has none of the spec's functions left. Keep at least one.")
    return Approved(spec.model_copy(update={"functions": functions}), plan)


def _validated(model: type[_Model], raw: object, what: str) -> _Model:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise PlanRefused(f"{what} cannot be read: {where or 'it'}: {first['msg']}.") from error


def _edited_spec(spec: Spec, raw: object) -> Spec:
    new = _validated(Spec, raw, "The edited spec")
    if (new.blueprint, new.shape) != (spec.blueprint, spec.shape):
        raise PlanRefused(
            f"Blueprint and shape stay {spec.blueprint} and {spec.shape}; what runs was made from "
            "them. Ask for another kind of program in a new task."
        )
    names = [one.name for one in new.functions]
    if len(set(names)) != len(names):
        raise PlanRefused("The spec names a function twice.")
    if spec.functions and not names:
        raise PlanRefused("The spec has no function left. Keep at least one.")
    for function in new.functions:
        _check_function(function)
    if new.entity is not None:
        _check_entity(new.entity)
    elif spec.entity is not None:
        raise PlanRefused("The spec has lost its entity. Put it back.")
    return new.model_copy(update={"origin": "user"})


def _check_function(function: FunctionSpec) -> None:
    names = [one.name for one in function.parameters]
    bad = next((one for one in (function.name, *names) if keyword.iskeyword(one)), "")
    if bad:
        raise PlanRefused(f"{bad} is a word of the language and cannot be a name.")
    if not names or len(set(names)) != len(names):
        raise PlanRefused(f"{function.name} needs parameters, each with a name of its own.")


def _check_entity(entity: EntitySpec) -> None:
    names = [one.name for one in entity.fields]
    if len(set(names)) != len(names) or {"id", "created_at"} & set(names):
        raise PlanRefused("Fields need names of their own; id and created_at are taken.")


def _edited_plan(spec: Spec, plan: Plan, raw: object) -> Plan:
    raw_items = dict_of(raw).get("items") if is_dict(raw) else raw
    items = [_validated(PlanItem, one, "An item of the plan") for one in list_of(raw_items)]
    if not items:
        raise PlanRefused("The plan has no items. Send it as {items: [...]}.")
    generated = {one.path for one in plan.items if one.maker == "generator"}
    written = {one.name: architect.path_of(spec, one) for one in spec.functions}
    for item in items:
        problem = path_problem(item.path)
        if problem:
            raise PlanRefused(f"{problem[:1].upper()}{problem[1:]}.")
        if item.function:
            _check_place(item, written)
        elif item.path not in generated:
            raise PlanRefused(
                f"Nobody writes {item.path}: it belongs to no function of the spec and is not "
                "generated. A role of a workflow can write further files (docs/team.md)."
            )
    # A file that was taken out is not waited for either.
    gone = {one.path for one in plan.items} - {one.path for one in items}
    kept = [
        one.model_copy(update={"depends_on": tuple(p for p in one.depends_on if p not in gone)})
        for one in items
    ]
    return architect.ordered(kept)


def _check_place(item: PlanItem, written: Mapping[str, str]) -> None:
    if item.function not in written:
        known = ", ".join(written) or "none"
        raise PlanRefused(f"There is no function {item.function} in the spec. Known: {known}.")
    if item.path != written[item.function]:
        place = written[item.function]
        raise PlanRefused(f"{item.function} is written to {place}, not to {item.path}.")
