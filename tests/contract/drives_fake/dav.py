"""Nextcloud's wire: WebDAV with sync reports, and the sign-in for apps."""

import base64
import re
import secrets
from email.utils import format_datetime
from urllib.parse import parse_qsl, quote, unquote
from xml.sax.saxutils import escape

from contract.drives_fake.cloud import Cloud, Node
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

FILES = "/remote.php/dav/files/me"
HEAD = '<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns">'


def answer(cloud: Cloud, request: Request, body: bytes) -> Response:
    path = unquote(request.url.path)
    base = f"{request.url.scheme}://{request.url.netloc}"
    if path.startswith("/index.php/login/v2"):
        return _sign_in(cloud, path, base, dict(parse_qsl(body.decode())))
    scheme, _, word = request.headers.get("authorization", "").partition(" ")
    name, _, password = base64.b64decode(word).decode().partition(":")
    if scheme != "Basic" or cloud.passwords.get(name) != password:
        return Response("no", 401)
    if path == "/ocs/v2.php/core/apppassword":
        cloud.revoke(password)
        return Response("")
    if not path.startswith(FILES):
        return Response("", 404 if request.method != "PROPFIND" else 405)
    place = path.removeprefix(FILES).strip("/")
    node = cloud.at(place) if place else cloud.root
    if request.method == "PUT":
        return _put(cloud, request, place, node, body)
    if node is None:
        return Response("", 404)
    match request.method:
        case "GET":
            return Response(node.content or b"")
        case "REPORT":
            return _report(cloud, node, body.decode())
        case _:
            return _found(cloud, request, node, body.decode())


def _sign_in(cloud: Cloud, path: str, base: str, form: dict[str, str]) -> Response:
    if path.endswith("/v2"):
        token = secrets.token_urlsafe(8)
        cloud.devices[token] = False
        poll = {"token": token, "endpoint": f"{base}/index.php/login/v2/poll"}
        return JSONResponse({"poll": poll, "login": f"{base}/index.php/login/v2/flow/{token}"})
    if not cloud.devices.get(form["token"]):
        return JSONResponse([], 404)
    cloud.passwords["me"] = "app-password-from-login"
    found = {"server": base, "loginName": "me", "appPassword": "app-password-from-login"}
    return JSONResponse(found)


def _put(cloud: Cloud, request: Request, place: str, node: Node | None, body: bytes) -> Response:
    folder, _, name = place.rpartition("/")
    parent = cloud.at(folder) if folder else cloud.root
    if parent is None:
        return Response("", 409)
    if node is not None:
        assert request.headers["if-none-match"] == "*"
        return Response("", 412)
    cloud.put(name, body, parent.node_id)
    return Response("", 201)


def _found(cloud: Cloud, request: Request, node: Node, body: str) -> Response:
    if "sync-token" in body:
        token = f"<d:sync-token>{len(cloud.log)}</d:sync-token>" if cloud.has_sync_tokens else ""
        return _multistatus(_response(cloud, node, token))
    nodes = [node]
    if request.headers["depth"] == "1":
        nodes += cloud.children(node.node_id)
    return _multistatus("".join(_response(cloud, each) for each in nodes))


def _report(cloud: Cloud, node: Node, body: str) -> Response:
    token = re.search(r"<d:sync-token>(\d+)<", body)
    assert token is not None
    try:
        changed = cloud.changed_since(int(token[1]))
    except LookupError:
        error = '<d:error xmlns:d="DAV:"><d:valid-sync-token/></d:error>'
        return Response(error, 403, media_type="application/xml")
    scope = f"{cloud.path(node)}/"
    parts: list[str] = []
    for node_id, path in changed.items():
        if not path.startswith(scope):
            continue
        found = cloud.nodes.get(node_id)
        gone = f"<d:response><d:href>{_href(path)}</d:href><d:status>HTTP/1.1 404 Not Found"
        parts.append(
            f"{gone}</d:status></d:response>" if found is None else _response(cloud, found)
        )
    return _multistatus(f"{''.join(parts)}<d:sync-token>{len(cloud.log)}</d:sync-token>")


def _multistatus(inside: str) -> Response:
    return Response(f"{HEAD}{inside}</d:multistatus>", 207, media_type="application/xml")


def _href(path: str) -> str:
    return escape(quote(f"{FILES}{path}"))


def _response(cloud: Cloud, node: Node, more: str = "") -> str:
    if node.content is None:
        about = "<d:resourcetype><d:collection/></d:resourcetype>"
    else:
        about = f"<d:resourcetype/><d:getcontentlength>{len(node.content)}</d:getcontentlength>"
    return (
        f"<d:response><d:href>{_href(cloud.path(node))}</d:href><d:propstat><d:prop>{about}{more}"
        f'<d:getetag>"{node.revision}"</d:getetag>'
        f"<d:getlastmodified>{format_datetime(node.modified, usegmt=True)}</d:getlastmodified>"
        "</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
    )
