"""`diono keys [list | create NAME | revoke ID]`: API keys for programs."""

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


def run(arguments: argparse.Namespace) -> int:
    if arguments.action != "list" and not arguments.name:
        what = "what it is for" if arguments.action == "create" else "its id"
        raise UsageError(f"say {what}: diono keys {arguments.action} NAME")
    return asyncio.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    async with open_api(Settings(), may_start=False) as api:
        if arguments.action == "create":
            await _create(api, arguments)
        elif arguments.action == "revoke":
            await api.delete(f"/api/keys/{quote(arguments.name, safe='')}")
            print(f"{one_line(arguments.name, 40)} is revoked", file=sys.stderr)
        else:
            await _list(api, as_json=arguments.as_json)
    return Exit.OK


async def _create(api: Api, arguments: argparse.Namespace) -> None:
    body: JsonObject = {"name": arguments.name}
    if arguments.scopes:
        body["scopes"] = [scope.strip() for scope in arguments.scopes.split(",")]
    if arguments.project:
        body["project_id"] = arguments.project
    if arguments.days:
        body["expires_in_days"] = arguments.days
    made = await api.post("/api/keys", body)
    if arguments.as_json:
        print(json.dumps(made, ensure_ascii=False))
        return
    print(made["key"])
    print(f"(shown this once; for OpenAI's clients the base URL is {api.url}/v1)", file=sys.stderr)


async def _list(api: Api, *, as_json: bool) -> None:
    listed = await api.get("/api/keys")
    if as_json:
        print(json.dumps(listed, ensure_ascii=False))
        return
    for key in listed["items"]:
        state = "" if key["is_active"] else "  expired"
        used = (key["last_used_at"] or "never used")[:16]
        where = f"  only in {key['project_id']}" if key["project_id"] else ""
        print(
            f"{key['key_id']}  {key['hint']}  {one_line(key['name'], 40):<20} "
            f"{','.join(key['scopes'])}  {used}{where}{state}"
        )
    if not listed["items"]:
        print("no keys; make one: diono keys create NAME", file=sys.stderr)
