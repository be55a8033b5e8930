"""Every operation x every identity x an own, a foreign and a missing thing."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any, cast

import httpx
import pytest

from .conftest import World
from .table import GATE, IDENTITIES, Identity, Route, operations, refusal, routes

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROUTES = routes()
STATUS = {"not_signed_in": 401, "project_not_found": 404, "task_not_found": 404}
# Who asks for foreign and missing things in every run; the others do at night.
LOOKING = frozenset({"foreign"})
MISSING = {"project": "prj_01jd0000000000000000000000", "task": "tsk_01jd0000000000000000000000"}
# What these do when they pass the gate ends the identity that asks.
ANSWER_SECONDS = 20
ENDLESS = {"GET /api/projects/{project_id}/documents/events"}
ENDING = {"POST /api/auth/logout", "DELETE /api/me/sessions",
          "POST /api/projects/{project_id}/leave"}  # fmt: skip


def _body(operation: dict[str, Any]) -> Any:
    """Return a body of a wrong shape: who passes the gate is told so, and nothing happens."""
    content = operation.get("requestBody", {}).get("content", {})
    return {"json": []} if "application/json" in content else {}


def _path(route: Route, ids: dict[str, str]) -> str:
    filled = route.path.replace("{user_id}/projects", "me/projects")
    filled = filled.replace("{project_id}", ids["project"]).replace("{task_id}", ids["task"])
    return re.sub(r"\{\w+\}", "missing1", filled)


def _parameters(operation: dict[str, Any], ids: dict[str, str]) -> dict[str, str]:
    wanted = [one for one in operation.get("parameters", []) if one["in"] == "query"]
    return {one["name"]: ids["task"] for one in wanted if one.get("required")}


def _code(reply: httpx.Response) -> str:
    try:
        found: object = reply.json()
    except ValueError:
        return ""
    error: Any = cast("dict[str, Any]", found).get("error", "") if isinstance(found, dict) else ""
    return cast("dict[str, str]", error)["code"] if isinstance(error, dict) else error


def _cases(is_whole: bool) -> Iterator[tuple[Route, Identity, str]]:
    for route in ROUTES:
        for who in IDENTITIES:
            if route.name in ENDING and who.name != "anonymous" and not route.is_of_project:
                continue
            targets = ("own", "foreign", "missing") if route.is_of_project else ("own",)
            for target in targets:
                if is_whole or target == "own" or who.name in LOOKING:
                    yield route, who, target


async def _problems(world: World, *, is_whole: bool) -> list[str]:
    known = operations(world.app.openapi())
    found: list[str] = []
    bodies: dict[tuple[str, str], dict[str, tuple[int, Any]]] = {}
    for route, who, target in _cases(is_whole):
        operation = known[(route.method, route.path)]
        ids = {"own": world.own, "foreign": world.foreign}.get(target, MISSING)
        wanted = refusal(route, who, target, frozenset(operation.get("tags", [])))
        if wanted is None and (route.name in ENDING | ENDLESS or route.kind == "open"):
            continue
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                reply = await world.client(who.name).request(
                    route.method,
                    _path(route, ids),
                    params=_parameters(operation, ids),
                    **_body(operation),
                )
        except TimeoutError:
            found.append(f"{route.name} by {who.name}, {target}: no answer")
            continue
        code = _code(reply)
        got = code if code in GATE else None
        status = STATUS.get(wanted or "", 403)
        is_wrong_status = wanted is not None and reply.status_code != status
        if got != wanted or is_wrong_status or reply.status_code == 500:
            found.append(f"{route.name} by {who.name}, {target}: {reply.status_code} {code}, "
                         f"not {wanted}")  # fmt: skip
        if target != "own" and who.name != "admin":
            text = reply.text.replace(ids["project"], "ID").replace(ids["task"], "ID")
            text = re.sub(r'"request_id":"[^"]+"', "", text)
            bodies.setdefault((route.name, who.name), {})[target] = (reply.status_code, text)
    different = [key for key, said in bodies.items() if len(set(said.values())) > 1]
    return [*found, *(f"{key}: a foreign thing is told from a missing one" for key in different)]


async def test_every_operation_is_in_the_table(world: World) -> None:
    assert {(one.method, one.path) for one in ROUTES} == set(operations(world.app.openapi()))
    assert len(ROUTES) == len({one.name for one in ROUTES})


async def test_everybody_gets_what_the_table_says(world: World) -> None:
    problems = await _problems(world, is_whole=False)
    assert not problems, "\n".join(problems)


@pytest.mark.nightly
async def test_everybody_gets_what_the_table_says_of_everything(world: World) -> None:
    problems = await _problems(world, is_whole=True)
    assert not problems, "\n".join(problems)
