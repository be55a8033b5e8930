"""Checks of the two web apps among the ten requests, by their own description of their API."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from diono.agents.shapes import dict_of, list_of
from diono.cli.bench_requests_program import Program

_DONE = ("done", "complete", "finish", "check", "status", "state")
_SEARCH = ("q", "search", "query", "term", "keyword", "text")


@dataclass(frozen=True)
class Api:
    """``listing`` is the path of the collection; ``fields`` its rows' types by name."""

    listing: str
    fields: dict[str, str]
    search: tuple[str, ...]

    def body(self, word: str) -> dict[str, Any]:
        return {name: _value(kind, word) for name, kind in self.fields.items()}


def _value(kind: str, word: str) -> Any:
    values = {"boolean": False, "integer": 3, "number": 2.5, "date": "2030-05-17"}
    return values.get(kind, word)


async def api_of(program: Program) -> Api | None:
    """Find the collection that can be added to and listed, in the app's OpenAPI document."""
    document = dict_of((await program.send("GET", "/openapi.json")).get("json"))
    for path, operations in dict_of(document.get("paths")).items():
        methods = dict_of(operations)
        if not {"get", "post"} <= methods.keys() or "{" in path:
            continue
        content = dict_of(dict_of(dict_of(methods["post"]).get("requestBody")).get("content"))
        schema = _resolved(dict_of(content.get("application/json")).get("schema"), document)
        asked = [dict_of(one) for one in list_of(dict_of(methods["get"]).get("parameters"))]
        return Api(
            path,
            {name: _type(one) for name, one in dict_of(schema.get("properties")).items()},
            tuple(str(one.get("name")) for one in asked if one.get("name") in _SEARCH),
        )
    return None


def _resolved(schema: Any, document: dict[str, Any]) -> dict[str, Any]:
    found = dict_of(schema)
    for part in str(found.get("$ref", "")).removeprefix("#/").split("/"):
        if part:
            document = dict_of(document.get(part))
    return document if "$ref" in found else found


def _type(schema: Any) -> str:
    kinds = [dict_of(schema), *(dict_of(one) for one in list_of(dict_of(schema).get("anyOf")))]
    for one in kinds:
        if one.get("format") == "date":
            return "date"
        if one.get("type") not in (None, "null"):
            return str(one["type"])
    return "string"


async def _life(program: Program, api: Api) -> str:
    """Add two rows, list, read and delete them."""
    ids: list[Any] = []
    for word in ("buy marzipan", "paint violin"):
        made = await program.send("POST", api.listing, api.body(word))
        if made["status"] not in (200, 201) or "id" not in dict_of(made["json"]):
            return f"POST {api.listing} -> {made['status']}"
        ids.append(dict_of(made["json"])["id"])
    listed = (await program.send("GET", api.listing))["text"]
    if "marzipan" not in listed or "violin" not in listed:
        return "what was added is not listed"
    problem = await program.start()
    if problem:
        return problem
    kept = await program.send("GET", f"{api.listing}/{ids[0]}")
    if "marzipan" not in kept["text"]:
        return "a row is lost after a restart"
    gone = await program.send("DELETE", f"{api.listing}/{ids[0]}")
    again = await program.send("GET", f"{api.listing}/{ids[0]}")
    if gone["status"] not in (200, 204) or again["status"] != 404:
        return "a row is not deleted"
    if "violin" not in (await program.send("GET", api.listing))["text"]:
        return "deleting one row takes another away"
    return ""


async def _opened(program: Program) -> tuple[Api | None, str]:
    problem = await program.start()
    api = None if problem else await api_of(program)
    return api, problem or ("" if api else "its API has no collection to add to and list")


async def todo_list(program: Program) -> str:
    api, problem = await _opened(program)
    if api is None:
        return problem
    flag = _named(api, _DONE)
    if not flag:
        return "an item cannot be marked as done"
    made = await program.send("POST", api.listing, api.body("iron shirts"))
    address = f"{api.listing}/{dict_of(made['json']).get('id')}"
    value = True if api.fields[flag] == "boolean" else "done"
    changed = await program.send("PATCH", address, {flag: value})
    if changed["status"] in (404, 405):
        changed = await program.send("PUT", address, {**api.body("iron shirts"), flag: value})
    seen = dict_of((await program.send("GET", address))["json"])
    if seen.get(flag) != value or "iron shirts" not in seen.values():
        return f"{flag} is {seen.get(flag)!r} after it was set"
    page = await program.send("GET", "/")
    if page["status"] != 200 or "<form" not in page["text"]:
        return "there is no page with a form"
    return await _life(program, api)


def _named(api: Api, words: Sequence[str]) -> str:
    return next((one for word in words for one in api.fields if word in one.lower()), "")


async def notes(program: Program) -> str:
    api, problem = await _opened(program)
    if api is None:
        return problem
    problem = await _life(program, api)
    if problem:
        return problem
    for word in ("zebra crossing", "quiet harbour"):
        await program.send("POST", api.listing, api.body(word))
    for query in (*(f"?{name}=" for name in api.search), "/search?q=", "/search/"):
        found = await program.send("GET", f"{api.listing}{query}harbour")
        nothing = await program.send("GET", f"{api.listing}{query}xylophone")
        is_found = found["status"] == 200 and "quiet harbour" in found["text"]
        if is_found and "zebra" not in found["text"] and "harbour" not in nothing["text"]:
            return ""
    return "no search finds the note with a word and no other"
