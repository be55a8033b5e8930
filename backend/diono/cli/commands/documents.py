"""`diono documents list | add | show | search | ask PROJECT …`."""

import argparse
import asyncio
import json
import sys
from contextlib import aclosing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from diono.cli.api import Api
from diono.cli.connect import open_api
from diono.cli.outcome import Exit, UsageError
from diono.cli.projects_api import find_project, path_of
from diono.cli.text import one_line
from diono.settings import Settings

JsonObject = dict[str, Any]
_ROWS_SHOWN = 12
_DONE = ("ready", "refused")


def run(arguments: argparse.Namespace) -> int:
    if arguments.action != "list" and not arguments.words:
        raise UsageError(f"say what: diono documents {arguments.action} {arguments.project} …")
    files = [Path(word) for word in arguments.words] if arguments.action == "add" else []
    for file in files:
        if not file.is_file():
            raise UsageError(f"there is no file {file}")
    return asyncio.run(_run(arguments, files))


async def _run(arguments: argparse.Namespace, files: list[Path]) -> int:
    async with open_api(Settings()) as api:
        project_id = (await find_project(api, arguments.project))["project_id"]
        path = path_of(project_id, "documents")
        words = " ".join(arguments.words)
        match arguments.action:
            case "add":
                return await _add(api, project_id, files, as_json=arguments.as_json)
            case "show":
                return await _show(api, path, words, as_json=arguments.as_json)
            case "search":
                found = await api.get(f"{path}/search", q=words)
                return _print(found, _hits(found), as_json=arguments.as_json)
            case "ask":
                return await _ask(api, path, words, arguments)
            case _:
                page = await api.get(path, limit=100)
                lines = [_line(one) for one in page["items"]] or ["no documents yet"]
                return _print(page, lines, as_json=arguments.as_json)


async def _add(api: Api, project_id: str, files: list[Path], *, as_json: bool) -> int:
    """Upload files and wait until they are read, telling how far each is."""
    wanted: set[str] = set()
    for file in files:
        size = (await asyncio.to_thread(file.stat)).st_size
        begun = await api.post(path_of(project_id, "uploads"), {"name": file.name, "size": size})
        upload = path_of(project_id, "uploads", quote(begun["upload_id"], safe=""))
        with file.open("rb") as source:
            while begun["offset"] < size:
                chunk = await asyncio.to_thread(source.read, begun["chunk_bytes"])
                begun = await api.send_chunk(upload, chunk, begun["offset"])
        wanted.add(begun["file"]["file_id"])
    ended: dict[str, JsonObject] = {}
    stream = api.stream("GET", f"{path_of(project_id, 'documents')}/events")
    async with aclosing(stream) as events:
        async for kind, one in events:
            if kind != "document" or one["file_id"] not in wanted:
                continue
            print(_line(one), file=sys.stderr)
            if one["status"] in _DONE:
                ended[one["file_id"]] = one
            if len(ended) == len(wanted):
                break
    _print({"items": list(ended.values())}, [_line(one) for one in ended.values()], as_json=as_json)
    return Exit.OK if all(one["status"] == "ready" for one in ended.values()) else Exit.FAILED


async def _show(api: Api, path: str, wanted: str, *, as_json: bool) -> int:
    page = await api.get(path, limit=100)
    named = [one for one in page["items"] if wanted in (one["document_id"], one["name"])]
    document_id = named[0]["document_id"] if named else wanted
    one = await api.get(f"{path}/{quote(document_id, safe='')}")
    lines = [_line(one)]
    lines += [f"  {name}: {one_line(str(value))}" for name, value in one["metadata"].items()]
    for table in one["tables"]:
        lines.append(f"  table {table['name']} ({table['place']}), {table['row_count']} rows")
        lines += [
            f"    {column['name']}: {column['type']}, {column['missing']} missing, "
            f"{column['minimum']} to {column['maximum']}"
            for column in table["columns"]
        ]
    lines += [f"  warning: {one_line(warning)}" for warning in one["warnings"]]
    if one["preview_text"] and not one["tables"]:
        lines.append(f"  {one_line(one['preview_text'], 400)}")
    return _print(one, lines, as_json=as_json)


async def _ask(api: Api, path: str, question: str, arguments: argparse.Namespace) -> int:
    body = {"question": question, "document_id": arguments.document, "model": arguments.model}
    answer = await api.post(f"{path}/ask", body)
    if arguments.chart and answer["has_chart"]:
        picture = await api.download(f"{path}/answers/{answer['answer_id']}/chart")
        await asyncio.to_thread(arguments.chart.write_bytes, picture)
    cells = [f"{one['document_name']}, {one['place']}" for one in answer["citations"]]
    lines = [
        one_line(answer["answer"], 1000),
        f"understood: {one_line(answer['interpretation']['text'], 300)}",
        f"certainty: {answer['certainty']} ({answer['agreement']})",
        *(f"note: {one_line(warning, 300)}" for warning in answer["warnings"]),
        f"from: {one_line('; '.join(cells), 300)}",
        f"code: {one_line(answer['code'], 1000)}",
        *(one_line(" | ".join(map(str, row))) for row in _rows(answer)),
    ]
    return _print(answer, lines, as_json=arguments.as_json)


def _rows(answer: JsonObject) -> list[list[Any]]:
    return [answer["columns"], *answer["rows"][:_ROWS_SHOWN]] if len(answer["rows"]) > 1 else []


def _hits(found: JsonObject) -> list[str]:
    lines = [
        f"{one_line(hit['document_name'])}, {hit['place'] or hit['anchor']}: "
        f"{one_line(hit['snippet'], 200)}"
        for hit in found["hits"]
    ]
    return [*(lines or ["nothing was found"]), *([found["note"]] if found["note"] else [])]


def _line(one: JsonObject) -> str:
    state = one["status"]
    if state == "parsing":
        state = f"{state} {one['progress']:.0%} {one['progress_note']}"
    if state == "refused":
        state = f"{state} ({one['error']}): {one_line(one['reason'], 200)}"
    return f"{one['document_id']}  {one_line(one['name'])}  {one['size']:,} bytes  {state}"


def _print(found: JsonObject, lines: list[str], *, as_json: bool) -> int:
    print(json.dumps(found, ensure_ascii=False) if as_json else "\n".join(lines))
    return Exit.OK
