"""What servers without our extensions lack, done with plain commands in the sandbox: a folder at
/work, and services as background processes watched by a small program."""

import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from diono.kernel.errors import InvalidInput
from diono.sandbox import checks
from diono.sandbox.client_exec import run_outside
from diono.sandbox.client_http import Channel, JsonObject
from diono.sandbox.client_services import parsed_listing, parsed_logs, parsed_status
from diono.sandbox.client_start import ROOT, absolute
from diono.sandbox.errors import EngineMissing, PortTaken, SandboxGone, ServiceMissing
from diono.sandbox.port import (
    ExecRequest,
    ExecResult,
    LogPage,
    RestartPolicy,
    ServiceSignal,
    ServiceSpec,
    ServiceStatus,
)

_PREPARE_ROOT = f"test -w {ROOT} || {{ mkdir -p {ROOT} && chown user: {ROOT}; }}"
_OUTPUT_LIMIT = 1_000_000
_GRACE_SECONDS = 15.0

Execute = Callable[[ExecRequest], Awaitable[ExecResult]]

_MANAGER = Path(__file__).with_name("foreign_manager.py").read_text(encoding="utf-8")


class ForeignServices:
    """No restarts after a crash: nothing there would do them."""

    def __init__(self, execute: Execute) -> None:
        self._execute = execute

    async def _ask(self, call: JsonObject, seconds: float = 30.0) -> JsonObject:
        done = await self._execute(
            ExecRequest(
                argv=("python3", "-c", _MANAGER),
                stdin=json.dumps(call).encode(),
                timeout_seconds=seconds,
                output_limit_bytes=_OUTPUT_LIMIT,
            )
        )
        try:
            reply: JsonObject = json.loads(done.stdout)
        except ValueError as error:
            tail = done.stderr.strip()[-200:] or done.reason.value
            raise SandboxGone(f"the sandbox could not look after services: {tail}") from error
        if reply.get("missing"):
            raise ServiceMissing("no such service; start it first")
        if reply.get("taken"):
            raise PortTaken("the port is in use inside the sandbox; stop its owner first")
        return reply

    async def start(self, spec: ServiceSpec) -> ServiceStatus:
        if spec.restart is not RestartPolicy.NEVER:
            raise InvalidInput("this server cannot restart services by itself; use 'never'")
        call: JsonObject = {
            "op": "start",
            "name": checks.service_name(spec.name),
            "argv": list(spec.argv),
            "port": spec.port,
            "cwd": absolute(spec.cwd),
            "env": dict(spec.env),
            "start_timeout": spec.start_timeout_seconds,
        }
        return parsed_status(await self._ask(call, spec.start_timeout_seconds + _GRACE_SECONDS))

    async def status(self, name: str) -> ServiceStatus:
        call = {"op": "status", "name": checks.service_name(name)}
        return parsed_status(await self._ask(call))

    async def stop(self, name: str) -> None:
        await self._ask({"op": "stop", "name": checks.service_name(name)})

    async def list(self) -> Sequence[ServiceStatus]:
        return parsed_listing(await self._ask({"op": "list"}))

    async def restart(self, name: str) -> ServiceStatus:
        call = {"op": "restart", "name": checks.service_name(name)}
        return parsed_status(await self._ask(call, 120.0))

    async def signal(self, name: str, signal: ServiceSignal) -> None:
        name = checks.service_name(name)
        await self._ask({"op": "signal", "name": name, "signal": signal.value})

    async def logs(self, name: str, cursor: int, limit_bytes: int) -> LogPage:
        call = {"op": "logs", "name": checks.service_name(name), "cursor": cursor}
        return parsed_logs(await self._ask({**call, "limit": limit_bytes}))


async def prepare_root(channel: Channel) -> None:
    """Make the workspace's folder, as root where the server allows it. Raises EngineMissing."""
    ending, said = await run_outside(channel, ("/bin/sh", "-c", _PREPARE_ROOT))
    if ending.exit_code != 0:
        raise EngineMissing(
            f"the server's sandbox has no writable {ROOT} and its root may not make one "
            f"({said.strip()[-200:]}); use a template that has it"
        )
