"""The fake providers' server: one port with TLS, in a thread of its own."""

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import trustme
import uvicorn
from contract.drives_fake import dav, dropbox_wire, google_wire, graph
from contract.drives_fake.cloud import Cloud, Fault, OAuthError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "PROPFIND", "REPORT", "HEAD"]
Wire = Callable[[Cloud, Request, bytes], Response]
WIRES: tuple[tuple[str, str, Wire], ...] = (
    ("/drive/", "google", google_wire.answer),
    ("/upload/drive/", "google", google_wire.answer),
    ("/google/", "google", google_wire.answer),
    ("/2/", "dropbox", dropbox_wire.answer),
    ("/dropbox/", "dropbox", dropbox_wire.answer),
    ("/v1.0/", "onedrive", graph.answer),
    ("/graph/", "onedrive", graph.answer),
    ("/login/", "onedrive", graph.answer),
    ("/", "webdav", dav.answer),
)


@dataclass
class FakeDrives:
    """All providers; ``clouds`` is what each has."""

    certificates: Path
    port: int
    clouds: dict[str, Cloud] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.certificates))

    @property
    def endpoints(self) -> dict[str, dict[str, str]]:
        google = {name: f"{self.url}/google/{name}" for name in ("authorize", "token", "device")}
        return {
            "google": {**google, "revoke": f"{self.url}/google/revoke", "api": self.url},
            "dropbox": {
                "authorize": f"{self.url}/dropbox/authorize",
                "token": f"{self.url}/dropbox/token",
            },
            "onedrive": {"graph": f"{self.url}/v1.0", "login": f"{self.url}/login"},
        }

    def reset(self) -> None:
        self.clouds = {name: Cloud() for name in ("google", "dropbox", "onedrive", "webdav")}


async def _answer(drives: FakeDrives, request: Request) -> Response:
    body = await request.body()
    path = request.url.path
    name, wire = next((name, wire) for start, name, wire in WIRES if path.startswith(start))
    cloud = drives.clouds[name]
    fault = cloud.fault(_kind(request, path))
    if fault is not None and fault.status >= 400:
        return Response(
            fault.body, fault.status, {"content-type": "application/json", **fault.headers}
        )
    try:
        answer = wire(cloud, request, body)
    except OAuthError as error:
        return JSONResponse({"error": error.error, "error_description": "no"}, error.status)
    if fault is not None and answer.body:
        return _spoilt(answer, fault)
    return answer


def _kind(request: Request, path: str) -> str:
    query = request.query_params
    if path.endswith("token"):
        return "token"
    if "changes" in path or "delta" in path or request.method == "REPORT":
        return "changes"
    if "upload" in path or request.method == "PUT":
        return "upload"
    if path.endswith("list_folder/continue"):
        return "changes"
    is_body = path.endswith(("/content", "/files/download", "/export")) or "/ticket/" in path
    is_dav = path.startswith("/remote.php") and request.method == "GET"
    if is_body or is_dav or query.get("alt") == "media":
        return "download"
    return "list"


def _spoilt(answer: Response, fault: Fault) -> Response:
    whole = bytes(answer.body)
    headers = dict(answer.headers)
    if fault.spoilt:
        return Response(bytes(reversed(whole)), answer.status_code, headers)

    async def half() -> AsyncIterator[bytes]:
        yield whole[: len(whole) // 2]

    return StreamingResponse(half(), answer.status_code, headers)


class Running:
    """The server in its thread."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        certificates = folder / "authority.pem"
        authority.cert_pem.write_to_path(str(certificates))
        key = folder / "server.pem"
        authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(key))
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        self.drives = FakeDrives(certificates, listener.getsockname()[1])
        self.drives.reset()

        async def endpoint(request: Request) -> Response:
            return await _answer(self.drives, request)

        app = Starlette(routes=[Route("/{path:path}", endpoint, methods=METHODS)])
        config = uvicorn.Config(
            app,
            ssl_certfile=str(key),
            ssl_keyfile=str(key),
            log_level="critical",
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._listener = listener
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        await self._server.serve(sockets=[self._listener])
        # A client that does not say good-bye would keep its socket open beyond the loop.
        # Those that wait for the other side of TLS to end are known to the loop alone.
        loop = asyncio.get_running_loop()
        assert isinstance(loop, asyncio.SelectorEventLoop)
        for transport in list(loop._transports.values()):
            transport.abort()
        await asyncio.sleep(0.05)

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._listener.close()
