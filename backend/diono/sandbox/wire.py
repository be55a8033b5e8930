"""The service's HTTP border: one POST a call, JSON both ways, over a unix socket.

Shared by the server and its client, so that neither can drift from the other.
"""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict, Field

from diono.sandbox.port import ExecRequest, FileEntry, SandboxSpec, ServiceSpec

PREFIX = "/v1/"
UPGRADE = "diono-stream"
BODY_LIMIT_BYTES = 96 * 1024 * 1024


class _Message(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64"
    )


class Nothing(_Message):
    pass


class OpenCall(_Message):
    spec: SandboxSpec


class ProjectCall(_Message):
    owner: str
    project: str


class SandboxReply(_Message):
    sandbox_id: str | None


class _SandboxCall(_Message):
    sandbox_id: str


class ExecuteCall(_SandboxCall):
    request: ExecRequest
    stdin: bytes = b""


class PathCall(_SandboxCall):
    path: str


class ReadCall(PathCall):
    limit_bytes: int = Field(ge=0)


class ReadReply(_Message):
    content: bytes


class WriteCall(_SandboxCall):
    files: Mapping[str, bytes]
    mode: int = 0o644


class ListCall(PathCall):
    depth: int = Field(ge=1)


class ListReply(_Message):
    entries: Sequence[FileEntry]


class InstallCall(_SandboxCall):
    packages: Sequence[str]
    timeout_seconds: float = Field(gt=0)


class StartServiceCall(_SandboxCall):
    spec: ServiceSpec


class ServiceCall(_SandboxCall):
    name: str


class ConnectCall(_SandboxCall):
    port: int = Field(ge=1, le=65535)


class ErrorReply(_Message):
    error: str
    detail: str
