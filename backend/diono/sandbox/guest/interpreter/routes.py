"""What the interpreter serves on the guest's socket: the wire's port 49999 and ``/diono/run``.

The guest calls ``attach`` before it has any thread, then adds ``ROUTES`` to its router.
"""

from __future__ import annotations

import binascii
import os
import sys
from collections.abc import Callable
from typing import Any

from ..http import Request, Response
from ..tenant import Tenant
from ..wire import HttpError, Json, RpcError, decode
from . import snippets
from .contexts import Context, Contexts
from .forks import Forks
from .stream import Stream

Handler = Callable[[Request, Response], None]

CODE_LIMIT_BYTES = 8 * 1024 * 1024
_OUTPUT_LIMIT_BYTES = 64_000
_LARGEST_OUTPUT_LIMIT_BYTES = 8_000_000
_LONGEST_RUN_SECONDS = 3600.0
_STRICT: dict[str, Any] = {"strict_mode": True} if sys.version_info >= (3, 11) else {}


class Interpreter:
    def __init__(self) -> None:
        self.forks = Forks()
        self.tenant = Tenant()
        self.contexts = Contexts(self.forks, self.tenant)

    def start(self, tenant: Tenant, preimports: list[str]) -> None:
        self.tenant = tenant
        self.contexts = Contexts(self.forks, tenant)
        if preimports:
            self.forks.fork_early(preimports)
        else:
            self.forks.fork_on_signal()

    def health(self, _request: Request, response: Response) -> None:
        response.json(200, "Request was successful")

    def run(self, request: Request, response: Response) -> None:
        """``{code, stdin?, args?, env?, timeout?, cwd?, output_limit?}`` -> what came of it.

        ``stdin`` is text, ``stdin_base64`` its bytes. ``exit_code`` is null after the deadline.
        """
        fields = _body(request)
        stdin = _text(fields, "stdin").encode("utf-8", "surrogateescape")
        encoded = _text(fields, "stdin_base64")
        if encoded:
            stdin = _decoded(encoded)
        limit = _number(fields, "output_limit", _OUTPUT_LIMIT_BYTES, _LARGEST_OUTPUT_LIMIT_BYTES)
        checked = {
            "code": _code(fields),
            "args": _texts(fields, "args"),
            "stdin": stdin,
            "timeout": _number(fields, "timeout", 30.0, _LONGEST_RUN_SECONDS),
            "output_limit": int(limit),
        }
        env = {**self.tenant.environment(self.tenant.user), **_env(fields, "env")}
        cwd = self.tenant.path(_text(fields, "cwd") or self.tenant.workspace)
        spec = snippets.Spec(checked, env, cwd)
        response.json(200, snippets.run(self.forks, spec, request.connection.socket.fileno()))
        self.forks.prepare_snippet()

    def execute(self, request: Request, response: Response) -> None:
        fields = _body(request)
        code = _code(fields)
        env = _env(fields, "env_vars")
        context_id, language = _text(fields, "context_id"), _text(fields, "language")
        if context_id and language:
            raise HttpError(400, "Only one of context_id or language can be provided")
        contexts = self.contexts
        context = contexts.find(context_id) if context_id else contexts.default(language)
        stream = Stream(request, response)
        context.execute(code, env, stream)
        stream.end()

    def create(self, request: Request, response: Response) -> None:
        fields = _body(request)
        cwd = self.tenant.path(_text(fields, "cwd") or self.tenant.home)
        context = self.contexts.create(_text(fields, "language"), cwd)
        response.json(200, _described(context))

    def list(self, _request: Request, response: Response) -> None:
        response.json(200, [_described(context) for context in self.contexts.all()])

    def remove(self, request: Request, response: Response) -> None:
        self.contexts.remove(_id_in(request))
        response.send(204)

    def restart(self, request: Request, response: Response) -> None:
        self.contexts.find(_id_in(request)).restart()
        response.json(200, None)


def _described(context: Context) -> Json:
    return {"id": context.context_id, "language": context.language, "cwd": context.cwd}


def _id_in(request: Request) -> str:
    return request.path.split("/")[2]


def _body(request: Request) -> Json:
    try:
        return decode(request.body(CODE_LIMIT_BYTES))
    except RpcError as error:
        raise HttpError(400, error.message) from error


def _text(fields: Json, name: str) -> str:
    value = fields.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise HttpError(400, f"{name} must be a string")
    return value


def _decoded(encoded: str) -> bytes:
    try:
        return binascii.a2b_base64(encoded.encode("ascii", "replace"), **_STRICT)
    except (binascii.Error, ValueError) as error:
        raise HttpError(400, "stdin_base64 is not base64") from error


def _code(fields: Json) -> str:
    if not isinstance(fields.get("code"), str):
        raise HttpError(400, "code must be a string")
    code = fields["code"]
    return code.encode("utf-8", "replace").decode("utf-8")


def _number(fields: Json, name: str, default: float, largest: float) -> float:
    value = fields.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= largest:
        raise HttpError(400, f"{name} must be a number above 0, {largest:g} at most")
    return value


def _texts(fields: Json, name: str) -> list[str]:
    value: Any = fields.get(name) or []
    if not isinstance(value, list) or not all(map(_is_plain, _items(value))):
        raise HttpError(400, f"{name} must be a list of strings")
    return _items(value)


def _items(value: Any) -> Any:
    return value


def _env(fields: Json, name: str) -> dict[str, str]:
    value: Any = fields.get(name) or {}
    if not isinstance(value, dict):
        raise HttpError(400, f"{name} must be an object of strings")
    env: dict[str, Any] = _items(value)
    for key, text in env.items():
        if not key or "=" in key or not _is_plain(key) or not _is_plain(text):
            raise HttpError(400, f"{name} must be an object of strings")
    return env


def _is_plain(value: object) -> bool:
    return isinstance(value, str) and "\0" not in value


INTERPRETER = Interpreter()
ROUTES: dict[tuple[str, str], Handler] = {
    ("POST", "/execute"): INTERPRETER.execute,
    ("POST", "/contexts"): INTERPRETER.create,
    ("GET", "/contexts"): INTERPRETER.list,
    ("DELETE", r"/contexts/[^/]+"): INTERPRETER.remove,
    ("POST", r"/contexts/[^/]+/restart"): INTERPRETER.restart,
    ("POST", "/diono/run"): INTERPRETER.run,
}


def attach(tenant: Tenant) -> None:
    """Fork the zygote, if the template has modules to load; else it starts at its first use,
    for it would make every idle sandbox larger by a quarter. Call it while the guest has one
    thread and holds no secret."""
    INTERPRETER.start(tenant, preimports_from_environment())


def preimports_from_environment() -> list[str]:
    """Return the modules that the template wants loaded: DIONO_PREIMPORTS, comma-separated."""
    return [name for name in os.environ.get("DIONO_PREIMPORTS", "").split(",") if name.strip()]
