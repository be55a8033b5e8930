"""`diono drives [list | connect PROVIDER | ls LINK | pull LINK ITEM … | push LINK FILE … | unlink
LINK]`: cloud drives."""

import argparse
import asyncio
import json
import sys
from typing import Any
from urllib.parse import quote

from diono.cli.api import Api
from diono.cli.connect import open_api
from diono.cli.outcome import Exit, UsageError
from diono.cli.text import one_line
from diono.settings import Settings

JsonObject = dict[str, Any]
_LOOK_SECONDS = 1.0


def run(arguments: argparse.Namespace) -> int:
    """Raises UsageError, RemoteError, ServerProblem."""
    if arguments.action in {"pull", "push"} and not (arguments.project and arguments.items):
        raise UsageError(
            f"say what and where: diono drives {arguments.action} LINK ITEM … --project PROJECT"
        )
    if arguments.action != "list" and not arguments.name:
        raise UsageError(f"say which: diono drives {arguments.action} NAME")
    return asyncio.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    async with open_api(Settings(), may_start=False) as api:
        match arguments.action:
            case "connect":
                await _connect(api, arguments)
            case "ls":
                await _browse(api, arguments)
            case "pull":
                body = {"link_id": arguments.name, "item_ids": arguments.items}
                return await _move(api, arguments, "drive-imports", body)
            case "push":
                body = {"link_id": arguments.name, "file_ids": arguments.items}
                if arguments.folder:
                    body["folder_id"] = arguments.folder
                return await _move(api, arguments, "drive-exports", body)
            case "unlink":
                await api.delete(f"/api/drives/links/{_part(arguments.name)}")
                print("unlinked; what was imported stays", file=sys.stderr)
            case _:
                await _list(api, as_json=arguments.as_json)
    return Exit.OK


async def _list(api: Api, *, as_json: bool) -> None:
    found = await api.get("/api/drives")
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    for link in found["links"]:
        problem = f"  {one_line(link['problem'], 100)}" if link["problem"] else ""
        title = one_line(link["title"], 40)
        print(f"{link['link_id']}  {link['provider']:<9} {title}  {link['state']}{problem}")
    if not found["links"]:
        names = ", ".join(provider["name"] for provider in found["providers"])
        print(f"no drives; link one: diono drives connect NAME ({names})", file=sys.stderr)


async def _connect(api: Api, arguments: argparse.Namespace) -> None:
    """Link a drive by a pasted code, a device code, or at the user's own server."""
    offered = {each["name"]: each for each in (await api.get("/api/drives"))["providers"]}
    if arguments.name not in offered:
        raise UsageError(
            f"there is no provider {arguments.name!r}; there are: {', '.join(offered)}"
        )
    # A redirect comes back to a browser with our cookie, which a terminal is not.
    modes = [mode for mode in offered[arguments.name]["modes"] if mode != "redirect"]
    mode = arguments.mode or modes[0]
    body: JsonObject = {"mode": mode, "address": arguments.address, "username": arguments.username}
    if mode == "password":
        body["password"] = await _asked("app password: ")
    started = await api.post(f"/api/drives/{_part(arguments.name)}/connect", body)
    link: JsonObject | None = started["link"]
    finish = f"/api/drives/connects/{started['connect_id']}/finish"
    if link is None:
        print(f"open {started['url']}", file=sys.stderr)
    if link is None and mode == "paste":
        print("allow it, then paste the code, or the address you end at:", file=sys.stderr)
        link = (await api.post(finish, {"code": await _asked("")}))["link"]
    if link is None and started["user_code"]:
        print(f"and type in {started['user_code']}", file=sys.stderr)
    while link is None:
        await asyncio.sleep(started["interval_seconds"])
        link = (await api.post(finish))["link"]
    print(json.dumps(link, ensure_ascii=False) if arguments.as_json else link["link_id"])


async def _asked(question: str) -> str:
    print(question, end="", file=sys.stderr, flush=True)
    return (await asyncio.to_thread(sys.stdin.readline)).strip()


async def _browse(api: Api, arguments: argparse.Namespace) -> None:
    query = {"folder_id": arguments.folder} if arguments.folder else {}
    path = f"/api/drives/links/{_part(arguments.name)}/items"
    items: list[JsonObject] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await api.get(path, **query, **({"cursor": cursor} if cursor else {}))
        items += page["items"]
        cursor = page["cursor"]
    if arguments.as_json:
        print(json.dumps({"items": items}, ensure_ascii=False))
        return
    for item in items:
        size = "folder" if item["is_folder"] else item["size"] if item["size"] is not None else "?"
        print(f"{size!s:>12}  {one_line(item['name'], 60):<40}  {one_line(item['item_id'], 200)}")


async def _move(api: Api, arguments: argparse.Namespace, what: str, body: JsonObject) -> int:
    path = f"/api/projects/{_part(arguments.project)}/{what}"
    job = await api.post(path, body)
    shown = ""
    while job["finished_at"] is None:
        await asyncio.sleep(_LOOK_SECONDS)
        job = await api.get(f"{path}/{job['job_id']}")
        said = f"{job['items_done']} of {job['items_total']} files, {job['bytes_done']} bytes"
        if said != shown:
            print(said, file=sys.stderr)
        shown = said
    if arguments.as_json:
        print(json.dumps(job, ensure_ascii=False))
    else:
        print(f"{job['state']}: {job['items_done']} moved, {job['items_failed']} failed")
        if job["detail"]:
            print(one_line(job["detail"], 300), file=sys.stderr)
    return Exit.OK if job["state"] == "SUCCEEDED" and not job["items_failed"] else Exit.FAILED


def _part(text: str) -> str:
    return quote(text, safe="")
