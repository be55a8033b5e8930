"""Tools for what keeps running: start a service, see the processes."""

import json
import re

from diono.agents.port import JsonObject
from diono.agents.tools.commands import ENVIRONMENT
from diono.agents.tools.port import (
    BaseTool,
    ToolContext,
    ToolFacts,
    ToolRefused,
    ToolResult,
    text_parameter,
)
from diono.agents.tools.risk import risk_of_command
from diono.agents.tools.text import plain, shortened
from diono.sandbox.port import ExecRequest, Sandbox, ServiceSpec, ServiceStatus

_START_SECONDS = 20.0
# A service's processes have this variable, whatever they execute.
_MARK = "DIONO_SERVICE"
_PROCESSES = r"""
import json, os
found = []
def service_of(name):
    try:
        with open(f"/proc/{name}/environ", "rb") as file:
            words = file.read().split(b"\0")
    except OSError:
        return ""
    marks = [word for word in words if word.startswith(b"DIONO_SERVICE=")]
    return marks[-1].decode("utf-8", "replace").partition("=")[2] if marks else ""
for name in os.listdir("/proc"):
    if not name.isdigit() or int(name) == os.getpid():
        continue
    try:
        with open(f"/proc/{name}/cmdline", "rb") as file:
            words = [part.decode("utf-8", "replace") for part in file.read().split(b"\0") if part]
        with open(f"/proc/{name}/status") as file:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    except (OSError, ValueError):
        continue
    if words:
        memory = status.get("VmRSS", "0 kB").split()[0]
        found.append({"pid": int(name), "parent": int(status.get("PPid", 0)),
                      "memory_kb": int(memory), "command": words,
                      "service": service_of(name)})
print(json.dumps(sorted(found, key=lambda one: one["pid"])[:100]))
"""


async def processes_of(sandbox: Sandbox) -> list[JsonObject]:
    """Return the sandbox's processes: pid, parent, memory_kb, command (its words), service."""
    request = ExecRequest(argv=("python3", "-c", _PROCESSES), timeout_seconds=15)
    done = await sandbox.execute(request)
    try:
        return json.loads(done.stdout)
    except ValueError:
        return []


class RunService(BaseTool):
    facts = ToolFacts(
        name="run_service",
        description="Start a program that keeps running, such as a web server.",
        parameters={
            "name": text_parameter("A short name; a service of that name is replaced."),
            "command": text_parameter("The shell command that starts it."),
            "port": {"type": "integer", "description": "The port it listens on, if it does."},
        },
        required=("name", "command"),
        can_change=True,
    )

    def risk_of(self, arguments: JsonObject) -> str:
        return risk_of_command(arguments["command"])

    async def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", arguments["name"]).strip("-_")[:40]
        if not name or not arguments["command"].strip():
            raise ToolRefused("A service has a name of letters and digits, and a command.")
        port = arguments.get("port")
        if port is not None and not 1024 <= port <= 65535:
            raise ToolRefused("A service's port is from 1024 to 65535.")
        spec = ServiceSpec(
            name=name,
            argv=("bash", "-c", arguments["command"]),
            port=port,
            env={**ENVIRONMENT, _MARK: name},
            start_timeout_seconds=_START_SECONDS,
        )
        sandbox = await context.sandbox()
        if any(one.name == name for one in await sandbox.list_services()):
            await sandbox.stop_service(name)
        status = await sandbox.start_service(spec)
        log = shortened(plain(status.log_tail).strip(), context.limit_characters // 2)
        if not status.is_healthy:
            how = f"ended with code {status.exit_code}" if not status.is_running else "is not ready"
            return ToolResult(text=f"The service {name} {how}.\n{log}".strip(), is_error=True)
        pids = [one["pid"] for one in await processes_of(sandbox) if one["service"] == name]
        service = {
            "name": name,
            "port": port,
            "pid": min(pids, default=0),
            "spec": spec.model_dump(mode="json"),
        }
        where = f" on port {port}" if port else ""
        text = f"The service {name} runs{where}.\n{log}".strip()
        return ToolResult(text=text, effects={"service": service})


class ListProcesses(BaseTool):
    facts = ToolFacts(
        name="list_processes",
        description="List the services and processes that run in the project's sandbox.",
    )

    async def call(self, arguments: JsonObject, context: ToolContext) -> ToolResult:
        sandbox = await context.sandbox()
        lines = [_described(one) for one in await sandbox.list_services()]
        lines += [
            f"{one['pid']:>6} {one['memory_kb'] // 1024:>5} MB  {' '.join(one['command'])[:100]}"
            for one in await processes_of(sandbox)
        ]
        return ToolResult(text=plain("\n".join(lines)) or "Nothing runs.")


def _described(status: ServiceStatus) -> str:
    state = f"ended with code {status.exit_code}"
    if status.is_running:
        state = "healthy" if status.is_healthy else "not ready"
    return f"service {status.name}: {state}" + (f", port {status.port}" if status.port else "")
