"""Google's wire: the token endpoint and Drive v3, as far as the adapter uses it."""

import hashlib
import json
import re
import secrets
from urllib.parse import parse_qsl

from contract.drives_fake.cloud import Cloud, Node
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

FOLDER = "application/vnd.google-apps.folder"
SHEET = "application/vnd.google-apps.spreadsheet"


def answer(cloud: Cloud, request: Request, body: bytes) -> Response:
    path = request.url.path
    if path.startswith("/google/"):
        return _sign_in(cloud, path, dict(parse_qsl(body.decode())))
    if request.headers.get("authorization", "")[7:] not in cloud.access_tokens:
        return _error(401, "authError")
    if path.startswith("/upload/"):
        return _upload(cloud, request, body)
    path = path.removeprefix("/drive/v3/")
    query = request.query_params
    if path == "about":
        user = {"permissionId": "p1", "emailAddress": "me@example.com", "displayName": "Me"}
        return JSONResponse({"user": user})
    if path == "changes/startPageToken":
        return JSONResponse({"startPageToken": str(len(cloud.log))})
    if path == "changes":
        return _changes(cloud, int(query["pageToken"]))
    if path == "files":
        return _list(cloud, query["q"], int(query.get("pageToken", 0)), int(query["pageSize"]))
    return _file(cloud, request, path.split("/"))


def _sign_in(cloud: Cloud, path: str, form: dict[str, str]) -> Response:
    if path.endswith("/revoke"):
        cloud.revoke(form["token"])
        return JSONResponse({})
    if path.endswith("/device"):
        code = secrets.token_urlsafe(8)
        cloud.devices[code] = False
        return JSONResponse(
            {
                "device_code": code,
                "user_code": "ABCD-EFGH",
                "verification_url": "https://www.google.com/device",
                "interval": 1,
                "expires_in": 600,
            }
        )
    return JSONResponse(cloud.trade(form))


def _error(status: int, reason: str) -> Response:
    error = {"code": status, "message": reason, "errors": [{"reason": reason}]}
    return JSONResponse({"error": error}, status)


def _list(cloud: Cloud, query: str, start: int, size: int) -> Response:
    folder = re.match(r"'([^']+)' in parents", query)
    words = re.search(r"name contains '([^']*)'", query)
    if folder is not None:
        parent = cloud.root.node_id if folder[1] == "root" else folder[1]
        if parent not in cloud.nodes:
            return _error(404, "notFound")
        found = cloud.children(parent)
    else:
        assert words is not None, query
        found = [
            node
            for node in cloud.nodes.values()
            if words[1].lower() in node.name.lower() and not node.is_folder
        ]
    shown = {"files": [_shown(node) for node in found[start : start + size]]}
    if start + size < len(found):
        shown["nextPageToken"] = str(start + size)  # type: ignore[assignment]
    return JSONResponse(shown)


def _file(cloud: Cloud, request: Request, parts: list[str]) -> Response:
    node = cloud.nodes.get(parts[1])
    if node is None:
        return _error(404, "notFound")
    if parts[-1] == "export":
        return Response(b"exported " + (node.content or b""))
    if request.query_params.get("alt") != "media":
        return JSONResponse(_shown(node))
    content = node.content or b""
    wanted = re.match(r"bytes=(\d+)-(\d+)", request.headers.get("range", ""))
    if wanted is None or not content:
        return Response(content)
    first, last = int(wanted[1]), min(int(wanted[2]), len(content) - 1)
    span = {"content-range": f"bytes {first}-{last}/{len(content)}"}
    return Response(content[first : last + 1], 206, span)


def _changes(cloud: Cloud, cursor: int) -> Response:
    try:
        changed = cloud.changed_since(cursor)
    except LookupError:
        return _error(400, "invalid")
    changes = []
    for node_id in changed:
        node = cloud.nodes.get(node_id)
        file = {"file": _shown(node)} if node is not None else {}
        changes.append({"fileId": node_id, "removed": node is None, **file})
    return JSONResponse({"changes": changes, "newStartPageToken": str(len(cloud.log))})


def _upload(cloud: Cloud, request: Request, body: bytes) -> Response:
    query = request.query_params
    if query["uploadType"] == "multipart":
        boundary = re.search(r'boundary="?([^";]+)', request.headers["content-type"])
        assert boundary is not None
        parts = body.split(f"--{boundary[1]}".encode())
        about = json.loads(parts[1].partition(b"\n\n")[2] or parts[1].partition(b"\r\n\r\n")[2])
        _, _, content = parts[2].partition(b"\n\n")
        if not content:
            _, _, content = parts[2].partition(b"\r\n\r\n")
        return JSONResponse(_shown(_stored(cloud, about, content[:-1])))
    if request.method == "POST":
        session = secrets.token_urlsafe(8)
        cloud.sessions[session] = {"about": json.loads(body), "content": b""}
        place = f"{request.url.replace_query_params(uploadType='resumable', upload_id=session)}"
        return Response(b"", headers={"location": place})
    session = cloud.sessions[query["upload_id"]]
    span = re.match(r"bytes (?:(\d+)-\d+|\*)/(\d+)", request.headers["content-range"])
    assert span is not None
    content = session["content"]
    assert isinstance(content, bytes)
    if span[1] is not None:
        assert int(span[1]) == len(content)
        content += body
        session["content"] = content
    if len(content) < int(span[2]):
        reached = {"range": f"bytes=0-{len(content) - 1}"} if content else {}
        return Response(b"", 308, reached)
    return JSONResponse(_shown(_stored(cloud, session["about"], content)))


def _stored(cloud: Cloud, about: object, content: bytes) -> Node:
    assert isinstance(about, dict)
    parent = about["parents"][0]
    return cloud.put(about["name"], content, None if parent == "root" else parent)


def _shown(node: Node) -> dict[str, object]:
    shown: dict[str, object] = {
        "id": node.node_id,
        "name": node.name,
        "mimeType": FOLDER if node.is_folder else node.kind,
        "modifiedTime": node.modified.isoformat().replace("+00:00", "Z"),
        "parents": [node.parent_id],
        "trashed": False,
    }
    if node.content is not None and not node.kind.startswith("application/vnd.google-apps."):
        shown["size"] = str(len(node.content))
        shown["md5Checksum"] = hashlib.md5(node.content).hexdigest()
    return shown
