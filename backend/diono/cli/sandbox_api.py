"""The client of a sandbox service's control plane: ours, or any that speaks the E2B wire."""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack, asynccontextmanager
from typing import Any
from urllib.parse import quote

import httpx

from diono.cli.outcome import RemoteError, ServerProblem, UsageError
from diono.sandbox.config import SandboxConfig
from diono.sandbox.extensions import (
    ERROR_CODE_HEADER,
    HEALTH_PATH,
    KEYS_PATH,
    OWNER_HEADER,
)
from diono.sandbox.fleet import ENVD_PORT
from diono.sandbox.sockets import short_path
from diono.settings import Settings

Json = dict[str, Any]
_TIMEOUT = httpx.Timeout(60.0, connect=5.0)
_PAGE = 100
# On whose behalf the installation's own admin acts here; an ordinary key has its own owner.
OPERATOR = "operator"
_AS_OPERATOR = {OWNER_HEADER: OPERATOR}


class SandboxApi:
    """One service, as the holder of one key. ``url`` is for people to see."""

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        self.client = client
        self.url = url

    async def sandboxes(self, state: str = "", metadata: Json | None = None) -> list[Json]:
        query = {"limit": str(_PAGE)}
        if state:
            query["state"] = state
        if metadata:
            query["metadata"] = "&".join(
                f"{quote(name, safe='')}={quote(str(value), safe='')}"
                for name, value in metadata.items()
            )
        found: list[Json] = []
        while True:
            answer = await self._send("GET", "/v2/sandboxes", query=query)
            found += answer.json()
            token = answer.headers.get("x-next-token", "")
            if not token:
                return found
            query["nextToken"] = token

    async def create(self, body: Json) -> Json:
        answer = await self._send("POST", "/v2/sandboxes", body=body, headers=_AS_OPERATOR)
        return answer.json()

    async def info(self, sandbox_id: str) -> Json:
        return (await self._send("GET", _path(sandbox_id))).json()

    async def connect(self, sandbox_id: str, timeout_seconds: int) -> Json:
        path = f"/v2{_path(sandbox_id)}/connect"
        return (await self._send("POST", path, body={"timeout": timeout_seconds})).json()

    async def pause(self, sandbox_id: str, *, keeps_memory: bool) -> bool:
        """False if it is paused already."""
        try:
            await self._send("POST", f"{_path(sandbox_id)}/pause", body={"memory": keeps_memory})
        except RemoteError as error:
            if error.http_status == 409:
                return False
            raise
        return True

    async def kill(self, sandbox_id: str) -> None:
        await self._send("DELETE", _path(sandbox_id))

    async def metrics(self, sandbox_id: str) -> list[Json]:
        return (await self._send("GET", f"{_path(sandbox_id)}/metrics")).json()

    async def templates(self) -> list[Json]:
        return (await self._send("GET", "/templates", headers=_AS_OPERATOR)).json()

    async def delete_template(self, name: str) -> None:
        path = f"/templates/{quote(name, safe='')}"
        await self._send("DELETE", path, headers=_AS_OPERATOR)

    async def keys(self, owner: str = "") -> list[Json]:
        query = {"owner": owner} if owner else {}
        return (await self._send("GET", KEYS_PATH, query=query)).json()

    async def create_key(self, body: Json) -> Json:
        return (await self._send("POST", KEYS_PATH, body=body)).json()

    async def revoke_key(self, key_id: str) -> None:
        await self._send("DELETE", f"{KEYS_PATH}/{quote(key_id, safe='')}")

    async def health(self) -> Json:
        return (await self._send("GET", HEALTH_PATH)).json()

    async def post(self, path: str, body: Json) -> Any:
        answer = await self._send("POST", path, body=body, headers=_AS_OPERATOR)
        return answer.json() if answer.content else None

    async def get(self, path: str, query: dict[str, str] | None = None) -> Any:
        return (await self._send("GET", path, query=query, headers=_AS_OPERATOR)).json()

    async def upload(self, url: str, content: bytes) -> None:
        """PUT to a link that the service gave (of its own address, or one signed elsewhere)."""
        try:
            answer = await self.client.put(url, content=content, timeout=600.0)
        except httpx.TransportError as error:
            raise away(self.url, error) from error
        if answer.is_error:
            raise error_of(answer)

    async def guest(self, machine: Json, path: str, body: Json) -> Any:
        """Call one of the guest's own JSON endpoints."""
        headers = guest_headers(machine)
        return (await self._send("POST", path, body=body, headers=headers)).json()

    async def _send(
        self,
        method: str,
        path: str,
        *,
        body: Json | None = None,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        try:
            answer = await self.client.request(
                method, path, json=body, params=query, headers=headers
            )
        except httpx.TransportError as error:
            raise away(self.url, error) from error
        if answer.is_error:
            raise error_of(answer)
        return answer


def guest_headers(machine: Json, user: str = "user") -> dict[str, str]:
    """Return the headers that lead a request to the guest of ``machine`` (a connect's reply)."""
    basic = httpx.BasicAuth(user, "")
    request = next(basic.auth_flow(httpx.Request("GET", "http://guest")))
    return {
        "E2b-Sandbox-Id": str(machine["sandboxID"]),
        "E2b-Sandbox-Port": str(ENVD_PORT),
        "X-Access-Token": str(machine.get("envdAccessToken") or ""),
        "Authorization": request.headers["Authorization"],
    }


def away(url: str, error: Exception) -> ServerProblem:
    return ServerProblem(
        f"no answer from the sandbox service at {url} ({type(error).__name__}: {error}). "
        "Start it: `diono up`, or `diono sandboxd`; or set DIONO_SANDBOX_URL."
    )


def error_of(answer: httpx.Response) -> RemoteError | ServerProblem:
    """Return the refusal of an answer whose body has been read."""
    try:
        body: Any = answer.json()
        message = str(body["message"])
        code = answer.headers.get(ERROR_CODE_HEADER) or body.get("error_code") or body.get("code")
    except (ValueError, KeyError, TypeError, AttributeError):
        return ServerProblem(f"{answer.url} answered {answer.status_code}; is it ours?")
    if after := answer.headers.get("retry-after"):
        message += f" (try again in {after} s)"
    return RemoteError(str(code), message, answer.status_code)


@asynccontextmanager
async def open_sandbox_api(settings: Settings) -> AsyncGenerator[SandboxApi]:
    """Yield a client of the service elsewhere (DIONO_SANDBOX_URL), or of this installation's own,
    over its unix socket with its admin key. Raises ServerProblem, UsageError."""
    with ExitStack() as stack:
        url, key, transport = _door(settings, stack)
        async with httpx.AsyncClient(
            base_url=url,
            transport=transport,
            timeout=_TIMEOUT,
            headers={"X-API-KEY": key},
        ) as client:
            yield SandboxApi(client, settings.sandbox_url or _config(settings).socket.as_uri())


def _door(settings: Settings, stack: ExitStack) -> tuple[str, str, httpx.AsyncHTTPTransport | None]:
    if settings.sandbox_url:
        key = settings.sandbox_key.get_secret_value()
        if not key:
            raise UsageError("DIONO_SANDBOX_URL is set; also set DIONO_SANDBOX_KEY to a key of it.")
        return settings.sandbox_url, key, None
    config = _config(settings)
    try:
        key = config.admin_key_file.read_text().strip()
        path = stack.enter_context(short_path(config.socket))
    except OSError as error:
        raise ServerProblem(
            f"the sandbox service of {settings.data_dir} does not run. Start it: `diono up`, or "
            "`diono sandboxd` alone; or set DIONO_SANDBOX_URL to one elsewhere."
        ) from error
    return "http://sandboxd", key, httpx.AsyncHTTPTransport(uds=path)


def _config(settings: Settings) -> SandboxConfig:
    return SandboxConfig(state_dir=settings.data_dir.resolve() / "sandbox")


def _path(sandbox_id: str) -> str:
    return f"/sandboxes/{quote(sandbox_id, safe='')}"


def environment_lines(key: str, url: str, domain: str) -> Sequence[str]:
    """Return the lines that point the official SDK at the service."""
    lines = [f"export E2B_API_KEY={key}", f"export E2B_API_URL={url}"]
    lines.append(f"export E2B_SANDBOX_URL={url}")
    if domain:
        lines.append(f"export E2B_DOMAIN={domain}  # instead of the two URLs, with DNS and TLS")
    return lines


def as_text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
