"""The Architect: turns the spec into files to write, ordered by what they depend on."""

from collections.abc import Sequence

from diono.agents.errors import PlanRefused
from diono.agents.examples import are_inverse
from diono.agents.generators import fastapi_app, python_cli, static_web
from diono.agents.scheduling.items import Phase, check_graph, check_roles
from diono.agents.spec import FunctionSpec, Plan, PlanItem, Spec

ROLES = ("engineer",)


def path_of(spec: Spec, function: FunctionSpec) -> str:
    module = static_web if spec.blueprint == "static-web" else python_cli
    return module.path_of(function)


def plan_for(spec: Spec) -> Plan:
    """Return the validated plan. Raises PlanRefused for a cycle or an unknown dependency."""
    if spec.blueprint == "fastapi-app":
        items = [_generated(fastapi_app.PATH, "what the app keeps", Phase.BACKEND)]
        items.append(_generated("README.md", "how to use it", Phase.INTEGRATION, fastapi_app.PATH))
        return ordered(items)
    is_page = spec.blueprint == "static-web"
    shell = "index.html" if is_page else "main.py"
    paths = [path_of(spec, function) for function in spec.functions]
    items = _functions(spec)
    items.append(_generated(shell, "what the user meets", Phase.FRONTEND, *paths))
    if not is_page:
        tests = "tests/test_core.py"
        items.append(_generated(tests, "the settled examples", Phase.INTEGRATION, *paths))
    items.append(_generated("README.md", "how to use it", Phase.INTEGRATION, shell))
    return ordered(items)


def _functions(spec: Spec) -> list[PlanItem]:
    """Functions of whole numbers come first, for their inverse can be searched once they are
    proven; an inverse waits for its partner's examples. All others are independent."""
    first = sorted(spec.functions, key=lambda one: one.parameters[0].type != "int")
    items: list[PlanItem] = []
    for index, function in enumerate(first):
        partners = [one for one in first[:index] if are_inverse(function, one)]
        item = PlanItem(
            path=path_of(spec, function),
            purpose=function.description,
            maker="model",
            function=function.name,
            depends_on=tuple(path_of(spec, one) for one in partners),
            priority=1 if function.is_required else 0,
        )
        items.append(item)
    return items


def _generated(path: str, purpose: str, phase: Phase, *depends_on: str) -> PlanItem:
    return PlanItem(
        path=path, purpose=purpose, maker="generator", depends_on=depends_on, phase=phase
    )


def ordered(items: Sequence[PlanItem], roles: Sequence[str] = ROLES) -> Plan:
    """Sort so that each file comes after what it depends on, keeping the given order otherwise.
    Raises PlanRefused, CyclicPlan or UnknownRole."""
    graph = {item.path: item.depends_on for item in items}
    if len(graph) != len(items):
        paths = [item.path for item in items]
        double = next(path for path in paths if paths.count(path) > 1)
        raise PlanRefused(f"The plan names {double} twice.")
    check_roles(((item.path, item.role) for item in items), roles)
    check_graph(graph, "file")
    done: set[str] = set()
    result: list[PlanItem] = []
    while len(result) < len(items):
        ready = next(
            one for one in items if one.path not in done and done.issuperset(one.depends_on)
        )
        done.add(ready.path)
        result.append(ready)
    return Plan(items=tuple(result))
