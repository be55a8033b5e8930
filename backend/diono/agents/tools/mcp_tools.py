"""A user's own MCP server: declared in a YAML file, run in a sandbox of its own."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from diono.agents.port import JsonObject, Stage
from diono.agents.shapes import dict_of, is_dict, list_of
from diono.agents.tools.mcp_client import McpFailed, McpSession
from diono.agents.tools.places import ToolPlaces
from diono.agents.tools.port import BaseTool, ToolContext, ToolFacts, ToolResult
from diono.agents.tools.python_tools import ToolFileRefused, install
from diono.agents.tools.text import inert, one_line, plain, shortened
from diono.sandbox.errors import PortClosed
from diono.sandbox.port import Sandbox, ServiceSpec

_PORT = 8765
_START_SECONDS = 20.0
_TOOLS_LIMIT = 30
_FILE_BYTES = 1_000_000
_SERVICE = "mcp"
# One server process a connection; it ends with the connection.
_BRIDGE = r"""
import os, socket, subprocess, sys, threading
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
def serve(connection):
    child = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    def outward():
        while data := os.read(child.stdout.fileno(), 65536):
            try:
                connection.sendall(data)
            except OSError:
                break
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
    pump = threading.Thread(target=outward, daemon=True)
    pump.start()
    try:
        while data := connection.recv(65536):
            child.stdin.write(data)
    except OSError:
        pass
    child.kill()
    child.wait()
    connection.close()
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""


class McpDeclaration(BaseModel):
    """``name``.yaml in the tools folder. ``files`` are copied into the server's sandbox; ``env``
    is for plain settings, never for secrets: nothing in a sandbox is secret."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,19}$")
    command: tuple[str, ...] = Field(min_length=1)
    packages: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    env: Mapping[str, str] = Field(default_factory=dict)
    tools: tuple[str, ...] = Field(default=(), description="Only these; empty: all.")
    approve: tuple[str, ...] = Field(default=(), description="Tools whose calls the user allows.")
    timeout_seconds: float = Field(default=30.0, gt=0, le=300)

    @field_validator("env")
    @classmethod
    def _has_no_secret(cls, env: Mapping[str, str]) -> Mapping[str, str]:
        for name in env:
            if re.search(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", name, re.I):
                raise ValueError(f"{name} looks like a secret; a sandbox must not hold one")
        return env


def read_declaration(file: Path) -> tuple[McpDeclaration, dict[str, bytes]]:
    """Return a declaration and the files that go with it. Raises ToolFileRefused."""
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        declared = McpDeclaration.model_validate(content)
        return declared, {name: _file_of(file.parent, name) for name in declared.files}
    except (OSError, ValueError, yaml.YAMLError, ValidationError) as error:
        raise ToolFileRefused(f"{file.name}: {one_line(str(error), 300)}") from error


def _file_of(folder: Path, name: str) -> bytes:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise ValueError(f"{name} is no file of the tools folder")
    content = path.read_bytes()
    if len(content) > _FILE_BYTES:
        raise ValueError(f"{name} has more than {_FILE_BYTES} bytes")
    return content


class McpServer:
    """One server for one run: started at its first use, ended with ``close``."""

    def __init__(
        self, declared: McpDeclaration, files: Mapping[str, bytes], places: ToolPlaces
    ) -> None:
        self.declared = declared
        self._places = places
        self._files = dict(files)
        self._session: McpSession | None = None
        self._sandbox_id = ""

    @property
    def _start_seconds(self) -> float:
        return min(_START_SECONDS, self.declared.timeout_seconds)

    async def described(self, stage: Stage) -> list[JsonObject]:
        """Return name, description and inputSchema of each tool. Raises McpFailed and what the
        sandbox raises."""
        session = await self._connected(stage)
        allowed = self.declared.tools
        return [
            {
                "name": str(tool.get("name", ""))[:60],
                "description": inert(one_line(str(tool.get("description", "")), 200)),
                "inputSchema": dict_of(tool.get("inputSchema")),
            }
            for tool in (await session.tools(self._start_seconds))[:_TOOLS_LIMIT]
            if not allowed or tool.get("name") in allowed
        ]

    async def call(self, stage: Stage, name: str, arguments: JsonObject) -> tuple[str, bool]:
        """Raises McpFailed; the server starts afresh with the next call then."""
        session = await self._connected(stage)
        try:
            return await session.call(name, arguments, self.declared.timeout_seconds)
        except McpFailed:
            self.close()
            raise

    async def _connected(self, stage: Stage) -> McpSession:
        sandbox = await self._places.open(stage, f"tool-{self.declared.name}")
        if self._session is not None and self._sandbox_id == sandbox.sandbox_id:
            return self._session
        self.close()
        await self._start(sandbox)
        session = McpSession(*await sandbox.connect(_PORT))
        try:
            await session.initialize(self._start_seconds)
        except McpFailed as error:
            session.close()
            log = (await sandbox.service_status(_SERVICE)).log_tail[-400:]
            told = f" It said: {one_line(log, 300)}" if log.strip() else ""
            detail = f"The tool server {self.declared.name} does not work: {error.detail}.{told}"
            raise McpFailed(detail) from error
        self._session, self._sandbox_id = session, sandbox.sandbox_id
        return session

    async def _start(self, sandbox: Sandbox) -> None:
        if any(one.name == _SERVICE and one.is_healthy for one in await sandbox.list_services()):
            return
        await sandbox.write_files(self._files)
        await install(sandbox, self.declared.packages)
        status = await sandbox.start_service(
            ServiceSpec(
                name=_SERVICE,
                argv=("python3", "-c", _BRIDGE, str(_PORT), *self.declared.command),
                port=_PORT,
                env=self.declared.env,
                start_timeout_seconds=_START_SECONDS,
            )
        )
        if not status.is_healthy:
            raise PortClosed(
                f"The tool server {self.declared.name} did not start: "
                f"{one_line(status.log_tail[-300:], 300)}"
            )

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None


class McpTool(BaseTool):
    """One tool of a server; its name is the server's and its own."""

    def __init__(self, server: McpServer, described: JsonObject) -> None:
        self._server = server
        self._own_name = str(described["name"])
        schema = dict_of(described["inputSchema"])
        name = re.sub(r"[^A-Za-z0-9_]+", "_", f"{server.declared.name}_{self._own_name}")[:60]
        known = dict_of(schema.get("properties"))
        self.facts = ToolFacts(
            name=name,
            description=str(described["description"]) or name.replace("_", " "),
            parameters={
                key: _plain_schema(value) for key, value in known.items() if is_dict(value)
            },
            required=tuple(str(one) for one in list_of(schema.get("required")) if one in known),
            limit_seconds=server.declared.timeout_seconds + _START_SECONDS + 60,
        )

    def risk_of(self, arguments: JsonObject) -> str:
        approve = self._server.declared.approve
        return "its operator wants calls allowed one by one" if self._own_name in approve else ""

    async def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        text, is_error = await self._server.call(context.stage, self._own_name, arguments)
        text = shortened(plain(text), context.limit_characters) or "(no text)"
        return ToolResult(text=text, is_error=is_error)


def _plain_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Keep of a foreign schema what tells how to call: no references, no prose at length."""
    kept = {key: schema[key] for key in ("type", "enum", "minimum") if key in schema}
    if not isinstance(kept.get("type", ""), str):
        kept.pop("type")
    if is_dict(schema.get("items")):
        kept["items"] = _plain_schema(schema["items"])
    if schema.get("description"):
        kept["description"] = inert(one_line(str(schema["description"]), 120))
    return kept


def tools_of(server: McpServer, described: Sequence[JsonObject]) -> list[McpTool]:
    return [McpTool(server, one) for one in described if one.get("name")]
