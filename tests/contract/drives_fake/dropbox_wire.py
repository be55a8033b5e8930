"""Dropbox's wire: the token endpoint and API v2, as far as the SDK uses it for the adapter."""

import json
from urllib.parse import parse_qsl

from contract.drives_fake.cloud import Cloud, Node
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from diono.drives.hashes import DropboxHash

ACCOUNT = {
    "account_id": "dbid:" + "A" * 35,
    "name": {
        "given_name": "Me",
        "surname": "M",
        "familiar_name": "Me",
        "display_name": "Me M",
        "abbreviated_name": "MM",
    },
    "email": "me@example.com",
    "email_verified": True,
    "disabled": False,
    "locale": "en",
    "referral_link": "https://db.tt/x",
    "is_paired": False,
    "account_type": {".tag": "basic"},
    "root_info": {".tag": "user", "root_namespace_id": "1", "home_namespace_id": "1"},
}


def answer(cloud: Cloud, request: Request, body: bytes) -> Response:
    path = request.url.path
    if path.startswith("/dropbox/"):
        return JSONResponse(cloud.trade(dict(parse_qsl(body.decode()))))
    if request.headers.get("authorization", "")[7:] not in cloud.access_tokens:
        error = {"error": {".tag": "expired_access_token"}, "error_summary": "expired"}
        return JSONResponse(error, 401)
    if path == "/2/users/get_current_account":
        return JSONResponse(ACCOUNT)
    if path == "/2/auth/token/revoke":
        cloud.revoke("dropbox")
        return JSONResponse(None)
    header = request.headers.get("dropbox-api-arg")
    arguments = json.loads(header if header is not None else body)
    name = path.removeprefix("/2/files/").replace("/", "_")
    return CALLS[name](cloud, arguments, body)


def _page(
    cloud: Cloud, found: list[dict[str, object]], what: str, start: int, size: int
) -> Response:
    rest = start + size
    cursor = f"{what}|{rest}|{size}" if rest < len(found) else f"log|{len(cloud.log)}"
    shown = {"entries": found[start:rest], "cursor": cursor, "has_more": rest < len(found)}
    return JSONResponse(shown)


def list_folder(cloud: Cloud, arguments: dict[str, object], body: bytes) -> Response:
    return _listed(cloud, str(arguments["path"]), 0, int(str(arguments.get("limit") or 500)))


def _listed(cloud: Cloud, path: str, start: int, size: int) -> Response:
    node = cloud.at(path)
    if node is None:
        return _missing()
    found = [shown(cloud, each) for each in cloud.children(node.node_id)]
    return _page(cloud, found, path, start, size)


def more(cloud: Cloud, arguments: dict[str, object], body: bytes) -> Response:
    what, *rest = str(arguments["cursor"]).split("|")
    if what != "log":
        return _listed(cloud, what, int(rest[0]), int(rest[1]))
    try:
        changed = cloud.changed_since(int(rest[0]))
    except LookupError:
        return JSONResponse({"error": {".tag": "reset"}, "error_summary": "reset/"}, 409)
    scope = rest[1] if len(rest) > 1 else ""
    entries: list[dict[str, object]] = []
    for node_id, path in changed.items():
        if not path.lower().startswith(f"{scope}/"):
            continue
        node = cloud.nodes.get(node_id)
        gone = {".tag": "deleted", "name": path.rpartition("/")[2], "path_lower": path.lower(),
                "path_display": path}  # fmt: skip
        entries.append(shown(cloud, node) if node is not None else gone)
    cursor = f"log|{len(cloud.log)}|{scope}"
    return JSONResponse({"entries": entries, "cursor": cursor, "has_more": False})


def latest(cloud: Cloud, arguments: dict[str, object], body: bytes) -> Response:
    assert arguments["recursive"] is True
    return JSONResponse({"cursor": f"log|{len(cloud.log)}|{arguments['path']}"})


def metadata(cloud: Cloud, arguments: dict[str, object], body: bytes) -> Response:
    node = cloud.at(str(arguments["path"]))
    return _missing() if node is None else JSONResponse(shown(cloud, node))


def search(cloud: Cloud, arguments: dict[str, object], body: bytes) -> Response:
    words = str(arguments["query"]).lower()
    found = [node for node in cloud.nodes.values() if words in node.name.lower()]
    matches = [{"metadata": {".tag": "metadata", "metadata": shown(cloud, node)}} for node in found]
    return JSONResponse({"matches": matches, "has_more": False})


def download(cloud: Cloud, arguments: dict[str, object], body: bytes) -> Response:
    node = cloud.at(str(arguments["path"]))
    if node is None or node.content is None:
        return _missing()
    about = json.dumps(shown(cloud, node))
    return Response(node.content, headers={"dropbox-api-result": about})


def upload(cloud: Cloud, arguments: dict[str, object], body: bytes) -> Response:
    return JSONResponse(_stored(cloud, arguments, body))


def start(cloud: Cloud, arguments: dict[str, object], body: bytes) -> Response:
    session = f"s{next(cloud.numbers)}"
    cloud.sessions[session] = {"content": body}
    return JSONResponse({"session_id": session})


def append(cloud: Cloud, arguments: dict[str, object], body: bytes) -> Response:
    session, offset = _session(cloud, arguments)
    content = session["content"]
    assert isinstance(content, bytes)
    if offset != len(content):
        error = {".tag": "incorrect_offset", "correct_offset": len(content)}
        return JSONResponse({"error": error, "error_summary": "incorrect_offset/"}, 409)
    session["content"] = content + body
    return JSONResponse(None)


def finish(cloud: Cloud, arguments: dict[str, object], body: bytes) -> Response:
    session, _ = _session(cloud, arguments)
    commit, content = arguments["commit"], session["content"]
    assert isinstance(commit, dict)
    assert isinstance(content, bytes)
    return JSONResponse(_stored(cloud, commit, content + body))


def _session(cloud: Cloud, arguments: dict[str, object]) -> tuple[dict[str, object], int]:
    cursor = arguments["cursor"]
    assert isinstance(cursor, dict)
    return cloud.sessions[cursor["session_id"]], cursor["offset"]


def _stored(cloud: Cloud, commit: dict[str, object], content: bytes) -> dict[str, object]:
    folder, _, name = str(commit["path"]).rpartition("/")
    parent = cloud.at(folder)
    assert parent is not None
    assert commit["autorename"] is True
    return shown(cloud, cloud.put(cloud.free_name(name, parent.node_id), content, parent.node_id))


def _missing() -> Response:
    error = {".tag": "path", "path": {".tag": "not_found"}}
    return JSONResponse({"error": error, "error_summary": "path/not_found/"}, 409)


def shown(cloud: Cloud, node: Node) -> dict[str, object]:
    path = cloud.path(node)
    about: dict[str, object] = {
        ".tag": "folder" if node.is_folder else "file",
        "name": node.name,
        "id": f"id:{node.node_id}",
        "path_lower": path.lower(),
        "path_display": path,
    }
    if node.content is not None:
        hashing = DropboxHash()
        hashing.update(node.content)
        time = node.modified.strftime("%Y-%m-%dT%H:%M:%SZ")
        about |= {
            "client_modified": time,
            "server_modified": time,
            "rev": f"{node.revision:09x}",
            "size": len(node.content),
            "is_downloadable": True,
            "content_hash": hashing.text(),
        }
    return about


CALLS = {
    "list_folder": list_folder,
    "list_folder_continue": more,
    "list_folder_get_latest_cursor": latest,
    "get_metadata": metadata,
    "search_v2": search,
    "download": download,
    "upload": upload,
    "upload_session_start": start,
    "upload_session_append_v2": append,
    "upload_session_finish": finish,
}
