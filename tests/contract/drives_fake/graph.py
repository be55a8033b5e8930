"""Microsoft's wire: OpenID's description and tokens for msal, and Graph's drive."""

import base64
import hashlib
import json
import re
import secrets
from urllib.parse import parse_qsl, unquote

from contract.drives_fake.cloud import Cloud, Node
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response


def answer(cloud: Cloud, request: Request, body: bytes) -> Response:
    path = unquote(request.url.path)
    base = f"{request.url.scheme}://{request.url.netloc}"
    if path.startswith("/login/"):
        return _sign_in(cloud, path, base, dict(parse_qsl(body.decode())))
    if path.startswith("/graph/ticket/"):
        return Response(cloud.nodes[path.rpartition("/")[2]].content or b"")
    if path.startswith("/graph/upload/"):
        assert "authorization" not in request.headers
        return _piece(cloud, request, path.rpartition("/")[2], body)
    if request.headers.get("authorization", "")[7:] not in cloud.access_tokens:
        return _error(401, "InvalidAuthenticationToken")
    return _drive(cloud, request, path.removeprefix("/v1.0/me/drive"), body)


def _sign_in(cloud: Cloud, path: str, base: str, form: dict[str, str]) -> Response:
    if path.endswith("openid-configuration"):
        login = f"{base}/login"
        return JSONResponse(
            {
                "issuer": login,
                "authorization_endpoint": f"{login}/authorize",
                "token_endpoint": f"{login}/token",
                "device_authorization_endpoint": f"{login}/devicecode",
            }
        )
    if path.endswith("/devicecode"):
        code = secrets.token_urlsafe(8)
        cloud.devices[code] = False
        return JSONResponse(
            {
                "device_code": code,
                "user_code": "ABCD-EFGH",
                "verification_uri": "https://microsoft.com/devicelogin",
                "interval": 1,
                "expires_in": 600,
                "message": "sign in",
            }
        )
    return JSONResponse(cloud.trade(form))


def _error(status: int, code: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": code}}, status)


def _drive(cloud: Cloud, request: Request, path: str, body: bytes) -> Response:
    query = request.query_params
    if path == "":
        user = {"email": "me@example.com", "displayName": "Me"}
        return JSONResponse({"id": "drive-1", "owner": {"user": user}})
    if path == "/root/delta":
        return _delta(cloud, request, query.get("token", ""))
    words = re.match(r"/root/search\(q='(.*)'\)", path)
    if words is not None:
        found = [n for n in cloud.nodes.values() if words[1].lower() in n.name.lower()]
        return JSONResponse({"value": [_shown(node) for node in found]})
    place = re.match(r"/(?:root|items/([^/:]+))(?::/(.+?):)?(?:/(\w+))?$", path)
    assert place is not None, path
    node = cloud.nodes.get(place[1] or cloud.root.node_id)
    if node is None:
        return _error(404, "itemNotFound")
    match place[3]:
        case "children":
            start, size = int(query.get("$skiptoken", 0)), int(query["$top"])
            found = cloud.children(node.node_id)
            shown: dict[str, object] = {"value": [_shown(n) for n in found[start : start + size]]}
            if start + size < len(found):
                more = request.url.include_query_params(**{"$skiptoken": start + size})
                shown["@odata.nextLink"] = str(more)
            return JSONResponse(shown)
        case "content" if request.method == "GET":
            return RedirectResponse(f"/graph/ticket/{node.node_id}", 302)
        case "content":
            assert query["@microsoft.graph.conflictBehavior"] == "rename"
            name = cloud.free_name(place[2], node.node_id)
            return JSONResponse(_shown(cloud.put(name, body, node.node_id)), 201)
        case "createUploadSession":
            session = secrets.token_urlsafe(8)
            cloud.sessions[session] = {"name": place[2], "parent": node.node_id, "content": b""}
            assert json.loads(body)["item"]["@microsoft.graph.conflictBehavior"] == "rename"
            url = f"{request.url.scheme}://{request.url.netloc}/graph/upload/{session}"
            return JSONResponse({"uploadUrl": url})
        case _:
            return JSONResponse(_shown(node))


def _piece(cloud: Cloud, request: Request, session_id: str, body: bytes) -> Response:
    session = cloud.sessions[session_id]
    content = session["content"]
    assert isinstance(content, bytes)
    if request.method == "PUT":
        span = re.match(r"bytes (\d+)-(\d+)/(\d+)", request.headers["content-range"])
        assert span is not None
        if int(span[1]) != len(content):
            return _error(416, "fragmentOverlap")
        content += body
        session["content"] = content
        if len(content) == int(span[3]):
            parent = str(session["parent"])
            name = cloud.free_name(str(session["name"]), parent)
            return JSONResponse(_shown(cloud.put(name, content, parent)), 201)
    return JSONResponse({"nextExpectedRanges": [f"{len(content)}-"]}, 202)


def _delta(cloud: Cloud, request: Request, token: str) -> Response:
    link = f"{request.url.scheme}://{request.url.netloc}/v1.0/me/drive/root/delta?token="
    here = {"@odata.deltaLink": f"{link}{len(cloud.log)}"}
    if token == "latest":
        return JSONResponse({"value": [], **here})
    try:
        changed = cloud.changed_since(int(token))
    except LookupError:
        return _error(410, "resyncRequired")
    found: list[dict[str, object]] = [{"id": cloud.root.node_id, "root": {}, "folder": {}}]
    for node_id in changed:
        node = cloud.nodes.get(node_id)
        gone = {"id": node_id, "deleted": {"state": "deleted"}}
        found.append(gone if node is None else _shown(node))
    return JSONResponse({"value": found, **here})


def quick_xor(content: bytes) -> str:
    """Microsoft's checksum, byte after byte as its description reads."""
    state = 0
    for place, byte in enumerate(content):
        turned = byte << (place * 11 % 160)
        state ^= (turned & ((1 << 160) - 1)) | (turned >> 160)
    state ^= len(content) << 96
    return base64.b64encode((state & ((1 << 160) - 1)).to_bytes(20, "little")).decode()


def _shown(node: Node) -> dict[str, object]:
    about: dict[str, object] = {
        "id": node.node_id,
        "name": node.name,
        "cTag": f"c{node.revision}",
        "size": len(node.content or b""),
        "lastModifiedDateTime": node.modified.isoformat().replace("+00:00", "Z"),
        "parentReference": {"id": node.parent_id},
    }
    if node.content is None:
        return {**about, "folder": {"childCount": 1}}
    if len(node.content) > 100_000:
        hashes = {"sha256Hash": hashlib.sha256(node.content).hexdigest().upper()}
    else:
        hashes = {"quickXorHash": quick_xor(node.content)}
    return {**about, "file": {"mimeType": node.kind, "hashes": hashes}}
