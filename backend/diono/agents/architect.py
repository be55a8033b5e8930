"""The Architect: turns the spec into files to write, ordered by what they depend on."""

from diono.agents.errors import PlanRefused
from diono.agents.generators import fastapi_app, python_cli, static_web
from diono.agents.spec import FunctionSpec, Plan, PlanItem, Spec


def plan_for(spec: Spec) -> Plan:
    """Return the validated plan. Raises PlanRefused for a cycle or an unknown dependency."""
    if spec.blueprint == "fastapi-app":
        items = [_generated(fastapi_app.PATH, "what the app keeps")]
        items.append(_generated("README.md", "how to use it", fastapi_app.PATH))
        return ordered(items)
    is_page = spec.blueprint == "static-web"
    path_of = static_web.path_of if is_page else python_cli.path_of
    shell = "index.html" if is_page else "main.py"
    paths = [path_of(function) for function in spec.functions]
    items = [_written(path_of(one), one) for one in spec.functions]
    items.append(_generated(shell, "what the user meets", *paths))
    if not is_page:
        items.append(_generated("tests/test_core.py", "the settled examples", *paths))
    items.append(_generated("README.md", "how to use it", shell))
    return ordered(items)


def _generated(path: str, purpose: str, *depends_on: str) -> PlanItem:
    return PlanItem(path=path, purpose=purpose, maker="generator", depends_on=depends_on)


def _written(path: str, function: FunctionSpec) -> PlanItem:
    return PlanItem(path=path, purpose=function.description, maker="model", function=function.name)


def ordered(items: list[PlanItem]) -> Plan:
    """Sort so that each file comes after what it depends on, keeping the given order otherwise."""
    known = {item.path for item in items}
    if len(known) != len(items):
        raise PlanRefused("The plan names a file twice.")
    for item in items:
        missing = [path for path in item.depends_on if path not in known]
        if missing:
            raise PlanRefused(f"{item.path} depends on {missing[0]}, which nobody writes.")
    done: set[str] = set()
    result: list[PlanItem] = []
    while len(result) < len(items):
        ready = next(
            (one for one in items if one.path not in done and done.issuperset(one.depends_on)),
            None,
        )
        if ready is None:
            stuck = ", ".join(item.path for item in items if item.path not in done)
            raise PlanRefused(f"These files depend on each other in a circle: {stuck}.")
        done.add(ready.path)
        result.append(ready)
    return Plan(items=tuple(result))
