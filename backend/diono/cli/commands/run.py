"""`diono run FILE [ARG ...]`: one program in a fresh sandbox; ends as the program ends."""

import argparse
import asyncio
import json
import os
import select
import stat
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from diono.cli.api import Api
from diono.cli.connect import is_remote, open_api
from diono.cli.outcome import Exit, RemoteError, ServerProblem, UsageError
from diono.cli.prepare import Preparation
from diono.cli.server import find_server
from diono.settings import Settings

JsonObject = dict[str, Any]
_CODE_LIMIT_CHARACTERS = 200_000
_NEEDED = ("engine", "image")
_BUILDING = "template_building"
_POLL_SECONDS = 2.0
_PATIENCE_SECONDS = 2.0
_DEADLINE_EXIT = 124
_KILLED_EXIT = 137


def run(arguments: argparse.Namespace) -> int:
    body: JsonObject = {
        "code": _text_of(arguments.file),
        "file_name": arguments.file.name,
        "args": arguments.args,
    }
    if arguments.language:
        body["language"] = arguments.language
    if arguments.timeout:
        body["timeout_seconds"] = arguments.timeout
    body["stdin"] = _input(arguments.stdin)
    return asyncio.run(_run(body, Settings(), arguments))


def _input(is_wanted: bool | None) -> str:
    """Return what comes on stdin; unless asked for, only what was piped or redirected."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError):
        return ""
    if is_wanted is None:
        is_wanted = stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)
    if not is_wanted:
        return ""
    if not select.select([sys.stdin], [], [], _PATIENCE_SECONDS)[0]:
        print("diono: waiting for the input's end (--no-stdin gives it none)", file=sys.stderr)
    return _checked(sys.stdin.read(_CODE_LIMIT_CHARACTERS + 1), "the input")


def _text_of(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return _checked(file.read(_CODE_LIMIT_CHARACTERS + 1), str(path))
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text, so it is no program to run") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def _checked(text: str, what: str) -> str:
    if len(text) > _CODE_LIMIT_CHARACTERS:
        raise UsageError(f"{what} has more than {_CODE_LIMIT_CHARACTERS} characters")
    return text


async def _run(body: JsonObject, settings: Settings, arguments: argparse.Namespace) -> int:
    preparation = Preparation(settings, is_offline=arguments.offline)
    if not is_remote(settings) and find_server(settings) is None:
        await preparation.finish(_NEEDED)
    try:
        async with await asyncio.to_thread(open_api, settings) as api:
            if arguments.as_json:
                result = await _await_template(lambda: api.post("/api/execute", body))
                print(json.dumps(result, ensure_ascii=False), flush=True)
            else:
                result = await _await_template(lambda: _stream(api, body))
                _explain(result)
    finally:
        await preparation.end()
    return _exit_status(result)


async def _stream(api: Api, body: JsonObject) -> JsonObject:
    """Print the output as it comes; return the result. Raises RemoteError."""
    async for kind, data in api.post_stream("/api/execute/stream", body):
        if kind == "output":
            stream = sys.stderr if data["stream"] == "stderr" else sys.stdout
            stream.write(str(data["text"]))
            stream.flush()
        elif kind == "error":
            raise RemoteError(str(data["error"]), str(data["detail"]), 409)
        elif kind == "result":
            return data
    raise ServerProblem("the server broke off before the program's end; try again")


async def _await_template(attempt: Callable[[], Awaitable[JsonObject]]) -> JsonObject:
    """Try again while the language's image is being built, telling how far it is."""
    last_told = ""
    while True:
        try:
            return await attempt()
        except RemoteError as error:
            if error.remote_code != _BUILDING or "could not be built" in error.detail:
                raise
            told = error.detail.partition(";")[0]
            if told != last_told:
                print(told, file=sys.stderr)
                last_told = told
            await asyncio.sleep(_POLL_SECONDS)


def _explain(result: JsonObject) -> None:
    """Say on stderr what the program itself could not."""
    compiled = result["compiled"]
    if compiled is not None:
        sys.stderr.write(compiled["stdout"] + compiled["stderr"])
    if result["is_truncated"]:
        print("diono: the middle of a long output was left out", file=sys.stderr)
    status = result["status"]
    if status == "deadline":
        print("diono: ended at its time limit (--timeout SECONDS sets it)", file=sys.stderr)
    elif status == "memory":
        print("diono: ended because it used up its memory", file=sys.stderr)
    elif status == "lost":
        print("diono: the sandbox ended under the program", file=sys.stderr)


def _exit_status(result: JsonObject) -> int:
    """Return the program's own status; for one that did not end by itself what shells use."""
    if result["exit_code"] is not None:
        return int(result["exit_code"])
    return {"deadline": _DEADLINE_EXIT, "memory": _KILLED_EXIT}.get(result["status"], Exit.FAILED)
