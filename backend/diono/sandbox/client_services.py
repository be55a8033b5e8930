"""Services over the wire: supervised by our guest."""

from collections.abc import Sequence
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from diono.sandbox import checks
from diono.sandbox.client_http import Channel, JsonObject
from diono.sandbox.client_start import absolute
from diono.sandbox.errors import FileMissing, SandboxGone, ServiceMissing
from diono.sandbox.port import LogPage, ServiceSignal, ServiceSpec, ServiceStatus

_PATH = "/diono/services/"
_LOG_LIMIT = 40_000
_GRACE_SECONDS = 10.0
_NAMES_LIMIT = 200
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class Services(Protocol):
    """Errors: ServiceMissing, PortTaken, FileMissing (the folder), SandboxGone."""

    async def start(self, spec: ServiceSpec) -> ServiceStatus: ...

    async def status(self, name: str) -> ServiceStatus: ...

    async def stop(self, name: str) -> None: ...

    async def list(self) -> Sequence[ServiceStatus]: ...

    async def restart(self, name: str) -> ServiceStatus: ...

    async def signal(self, name: str, signal: ServiceSignal) -> None: ...

    async def logs(self, name: str, cursor: int, limit_bytes: int) -> LogPage: ...


class _Status(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str = Field(max_length=_NAMES_LIMIT)
    port: int | None = None
    running: bool
    healthy: bool
    exit_code: int | None = None
    restarts: int = Field(default=0, ge=0)
    log: str = Field(default="", max_length=_LOG_LIMIT * 2)


class _Listing(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    services: list[_Status] = Field(max_length=_NAMES_LIMIT)


class _Logs(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    text: str
    cursor: int = Field(ge=0)
    dropped: bool = False


def _status_of(found: _Status) -> ServiceStatus:
    return ServiceStatus(
        name=found.name,
        port=found.port,
        is_running=found.running,
        is_healthy=found.healthy,
        exit_code=found.exit_code,
        restarts=found.restarts,
        log_tail=found.log[-_LOG_LIMIT:].replace("\0", _REPLACEMENT),
    )


def parsed_status(raw: JsonObject) -> ServiceStatus:
    try:
        return _status_of(_Status.model_validate(raw))
    except ValidationError as error:
        raise SandboxGone("the sandbox sent a status that cannot be read") from error


def parsed_listing(raw: JsonObject) -> Sequence[ServiceStatus]:
    try:
        return [_status_of(found) for found in _Listing.model_validate(raw).services]
    except ValidationError as error:
        raise SandboxGone("the sandbox sent a list that cannot be read") from error


def parsed_logs(raw: JsonObject) -> LogPage:
    try:
        page = _Logs.model_validate(raw)
    except ValidationError as error:
        raise SandboxGone("the sandbox sent a log that cannot be read") from error
    text = page.text.replace("\0", _REPLACEMENT)
    return LogPage(text=text, next_cursor=page.cursor, is_cut=page.dropped)


class GuestServices:
    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    async def _ask(self, operation: str, call: JsonObject, seconds: float = 30.0) -> JsonObject:
        return await self._channel.json(_PATH + operation, call, seconds)

    async def _named(self, operation: str, name: str, seconds: float = 30.0) -> JsonObject:
        try:
            return await self._ask(operation, {"name": checks.service_name(name)}, seconds)
        except FileMissing as error:
            raise ServiceMissing("no such service; start it first") from error

    async def start(self, spec: ServiceSpec) -> ServiceStatus:
        call: JsonObject = {
            "name": checks.service_name(spec.name),
            "argv": list(spec.argv),
            "port": spec.port,
            "cwd": absolute(spec.cwd),
            "env": dict(spec.env),
            "restart": spec.restart.value,
            "start_timeout": spec.start_timeout_seconds,
        }
        seconds = spec.start_timeout_seconds + _GRACE_SECONDS
        return parsed_status(await self._ask("start", call, seconds))

    async def status(self, name: str) -> ServiceStatus:
        return parsed_status(await self._named("status", name))

    async def stop(self, name: str) -> None:
        try:
            await self._named("stop", name)
        except ServiceMissing:
            return

    async def list(self) -> Sequence[ServiceStatus]:
        return parsed_listing(await self._ask("list", {}))

    async def restart(self, name: str) -> ServiceStatus:
        return parsed_status(await self._named("restart", name, seconds=120.0))

    async def signal(self, name: str, signal: ServiceSignal) -> None:
        call: JsonObject = {"name": checks.service_name(name), "signal": signal.value}
        try:
            await self._ask("signal", call)
        except FileMissing as error:
            raise ServiceMissing("no such service; start it first") from error

    async def logs(self, name: str, cursor: int, limit_bytes: int) -> LogPage:
        call: JsonObject = {
            "name": checks.service_name(name),
            "cursor": cursor,
            "limit": limit_bytes,
        }
        try:
            return parsed_logs(await self._ask("logs", call))
        except FileMissing as error:
            raise ServiceMissing("no such service; start it first") from error
