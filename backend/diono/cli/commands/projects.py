"""`diono projects [list | show | create | fork | restore | delete | import | export]`."""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from diono.cli.api import Api
from diono.cli.connect import open_api
from diono.cli.outcome import Exit, UsageError
from diono.cli.projects_api import all_projects, find_project, path_of
from diono.cli.projects_exchange import bring_in, bring_out
from diono.cli.text import one_line
from diono.settings import Settings

JsonObject = dict[str, Any]


def run(arguments: argparse.Namespace) -> int:
    action = arguments.action
    if action != "list" and not arguments.project:
        raise UsageError(f"say which: diono projects {action} PROJECT")
    if action == "restore" and not arguments.checkpoint:
        raise UsageError(
            "say where to: diono projects restore PROJECT CHECKPOINT; `diono projects show "
            f"{arguments.project}` lists the checkpoints"
        )
    if action in ("import", "export") and not arguments.checkpoint:
        what = "a folder, an archive or an https:// URL" if action == "import" else "a file"
        raise UsageError(f"name {what}: diono projects {action} {arguments.project} …")
    return asyncio.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    async with open_api(Settings()) as api:
        if arguments.action == "list":
            return _list(await all_projects(api), as_json=arguments.as_json)
        if arguments.action == "create":
            made = await api.post("/api/projects", {"name": arguments.project})
            return _print(made, made["project_id"], as_json=arguments.as_json)
        if arguments.action == "import":
            return await _import(api, arguments)
        project = await find_project(api, arguments.project)
        if arguments.action == "export":
            size = await bring_out(api, project["project_id"], Path(arguments.checkpoint))
            line = f"{arguments.checkpoint}: {size} bytes"
            return _print(
                {"file": arguments.checkpoint, "size": size}, line, as_json=arguments.as_json
            )
        if arguments.action == "show":
            return await _show(api, project, as_json=arguments.as_json)
        return await _change(api, project, arguments)


async def _import(api: Api, arguments: argparse.Namespace) -> int:
    """Into the project of that id or name; a name that none has makes a new one."""
    wanted = arguments.project
    is_known = wanted.startswith("prj_") or wanted in {
        project["name"] for project in await all_projects(api)
    }
    if is_known:
        project = await find_project(api, wanted)
    else:
        project = await api.post("/api/projects", {"name": wanted})
    state = await bring_in(api, project["project_id"], arguments.checkpoint)
    line = f"{state['file_count']} files in {project['project_id']}"
    return _print(state, line, as_json=arguments.as_json)


async def _change(api: Api, project: JsonObject, arguments: argparse.Namespace) -> int:
    project_id = project["project_id"]
    if arguments.action == "fork":
        body = {"checkpoint_id": arguments.checkpoint, "name": arguments.name}
        made = await api.post(path_of(project_id, "fork"), body)
        return _print(made, made["project_id"], as_json=arguments.as_json)
    if arguments.action == "restore":
        report = await api.post(
            path_of(project_id, "restore"), {"checkpoint_id": arguments.checkpoint}
        )
        before = report["before"]
        line = (
            f"back to {one_line(report['restored']['title'])} in {report['seconds']:.2f} s; "
            f"what was there is {before['checkpoint_id']} ({one_line(before['title'])})"
        )
        return _print(report, line, as_json=arguments.as_json)
    if not arguments.yes and not _is_sure(project["name"]):
        raise UsageError("nothing was deleted: type the project's name, or pass --yes")
    await api.delete(path_of(project_id), {"name": project["name"]})
    return _print({"deleted": project_id}, f"deleted {project_id}", as_json=arguments.as_json)


def _is_sure(name: str) -> bool:
    if not sys.stdin.isatty():
        return False
    print(f"deleting cannot be undone; type {one_line(name)!r}: ", end="", file=sys.stderr)
    sys.stderr.flush()
    return sys.stdin.readline().strip() == name.strip()


def _list(projects: list[JsonObject], *, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"items": projects}, ensure_ascii=False))
        return Exit.OK
    for project in projects:
        sandbox = project["sandbox"] or "unknown"
        print(
            f"{project['project_id']}  {project['status']:<6}  {sandbox:<7}  "
            f"{one_line(project['name'], 60)}"
        )
    if not projects:
        print("no projects yet; make one: diono projects create NAME", file=sys.stderr)
    return Exit.OK


async def _show(api: Api, project: JsonObject, *, as_json: bool) -> int:
    project_id = project["project_id"]
    state = await api.get(path_of(project_id, "state"))
    checkpoints = await api.get(path_of(project_id, "checkpoints"), limit=20)
    if as_json:
        shown = {"project": project, "state": state, "checkpoints": checkpoints["items"]}
        print(json.dumps(shown, ensure_ascii=False))
        return Exit.OK
    print(f"{project_id}  {one_line(project['name'])}")
    print(f"status {state['status']}, sandbox {state['sandbox'] or 'unknown'}, {_doing(state)}")
    for title, lines in (("thoughts", state["thoughts"]), ("next", state["next_steps"])):
        for line in lines:
            print(f"{title}: {one_line(line)}")
    for item in checkpoints["items"]:
        mark = "*" if item["is_bookmarked"] else " "
        print(
            f"{item['checkpoint_id']} {mark} {item['created_at'][:19]}  {one_line(item['title'])}"
        )
    return Exit.OK


def _doing(state: JsonObject) -> str:
    running = state["running"]
    if running is None:
        return "nothing runs"
    waits = ", waits for your answer" if state["waiting"] else ""
    return f"{running['task_id']} {running['status']}{waits}, {state['queued']} in line"


def _print(answer: JsonObject, line: str, *, as_json: bool) -> int:
    print(json.dumps(answer, ensure_ascii=False) if as_json else line)
    return Exit.OK
