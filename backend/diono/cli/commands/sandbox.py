"""`diono sandbox …`: sandboxes, templates and keys of a sandbox service."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from diono.cli import sandbox_template, sandbox_views
from diono.cli.outcome import Exit, UsageError
from diono.cli.sandbox_api import (
    Json,
    SandboxApi,
    as_text,
    environment_lines,
    open_sandbox_api,
)
from diono.cli.sandbox_exec import Command, execute
from diono.cli.shapes import entries
from diono.cli.text import terminal_text
from diono.settings import Settings

_WAKE_SECONDS = 60
_STDIN_LIMIT_BYTES = 8 * 2**20

Action = Callable[[SandboxApi, argparse.Namespace], Awaitable[int]]


def run(arguments: argparse.Namespace) -> int:
    return asyncio.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    name: str = arguments.action
    if name in ("key", "template"):
        name = f"{name} {arguments.what}"
    async with open_sandbox_api(Settings()) as api:
        return await _ACTIONS[name](api, arguments)


def _show(value: object, text: str, arguments: argparse.Namespace) -> int:
    print(as_text(value) if arguments.as_json else text)
    return Exit.OK


async def _list(api: SandboxApi, arguments: argparse.Namespace) -> int:
    found = await api.sandboxes(arguments.state or "", arguments.metadata)
    return _show({"sandboxes": found}, sandbox_views.sandboxes(found), arguments)


async def _create(api: SandboxApi, arguments: argparse.Namespace) -> int:
    made = await api.create(_create_body(arguments))
    return _show(made, str(made["sandboxID"]), arguments)


def _create_body(arguments: argparse.Namespace) -> Json:
    body: Json = {
        "templateID": arguments.template,
        "timeout": arguments.timeout,
        "metadata": arguments.metadata,
        "envVars": arguments.env,
        "autoPause": arguments.auto_pause,
    }
    if arguments.internet:
        body["allow_internet_access"] = True
    if arguments.allow:
        body["network"] = {"allowOut": arguments.allow}
    if arguments.volume:
        body["volumeMounts"] = [{"name": arguments.volume, "path": "/work"}]
    limits = {
        "cpus": arguments.cpus,
        "memoryMB": arguments.memory_mb,
        "diskMB": arguments.disk_mb,
    }
    if chosen := {name: value for name, value in limits.items() if value is not None}:
        body["diono"] = {"limits": chosen}
    return body


async def _exec(api: SandboxApi, arguments: argparse.Namespace) -> int:
    argv = arguments.argv[1:] if arguments.argv[:1] == ["--"] else arguments.argv
    if not argv:
        raise UsageError("say what to run: diono sandbox exec ID -- python3 -V")
    machine = await api.connect(arguments.sandbox_id, _WAKE_SECONDS)
    command = Command(
        argv=argv,
        cwd=arguments.cwd,
        env=arguments.env,
        user=arguments.user,
        stdin=_standard_input() if arguments.stdin else None,
        timeout_seconds=arguments.timeout,
    )
    outcome = await execute(api, machine, command, is_quiet=arguments.as_json)
    if outcome.note:
        print(outcome.note, file=sys.stderr)
    if arguments.as_json:
        shown = {
            "exit_code": outcome.status,
            "note": outcome.note,
            "stdout": outcome.stdout.decode(errors="replace"),
            "stderr": outcome.stderr.decode(errors="replace"),
        }
        print(as_text(shown))
    return outcome.status


def _standard_input() -> bytes:
    content = sys.stdin.buffer.read(_STDIN_LIMIT_BYTES + 1)
    if len(content) > _STDIN_LIMIT_BYTES:
        raise UsageError("standard input is larger than 8 MiB; put it into a file in the sandbox")
    return content


async def _kill(api: SandboxApi, arguments: argparse.Namespace) -> int:
    for sandbox_id in arguments.sandbox_id:
        await api.kill(sandbox_id)
    return _show({"killed": arguments.sandbox_id}, "killed", arguments)


async def _pause(api: SandboxApi, arguments: argparse.Namespace) -> int:
    is_new = await api.pause(arguments.sandbox_id, keeps_memory=not arguments.stop)
    return _show({"paused": is_new}, "paused" if is_new else "it was paused already", arguments)


async def _resume(api: SandboxApi, arguments: argparse.Namespace) -> int:
    made = await api.connect(arguments.sandbox_id, arguments.timeout)
    return _show(made, "running", arguments)


async def _info(api: SandboxApi, arguments: argparse.Namespace) -> int:
    found = await api.info(arguments.sandbox_id)
    return _show(found, sandbox_views.details(found), arguments)


async def _metrics(api: SandboxApi, arguments: argparse.Namespace) -> int:
    samples = await api.metrics(arguments.sandbox_id)
    return _show({"metrics": samples}, sandbox_views.metrics(samples), arguments)


async def _logs(api: SandboxApi, arguments: argparse.Namespace) -> int:
    machine = await api.connect(arguments.sandbox_id, _WAKE_SECONDS)
    if arguments.name is None:
        found = await api.guest(machine, "/diono/services/list", {})
        shown = sandbox_views.services(entries(found, "services"))
        return _show(found, shown, arguments)
    page = await api.guest(machine, "/diono/services/logs", {"name": arguments.name})
    return _show(page, terminal_text(str(page.get("text", ""))).rstrip("\n"), arguments)


async def _templates(api: SandboxApi, arguments: argparse.Namespace) -> int:
    found = await api.templates()
    return _show({"templates": found}, sandbox_views.templates(found), arguments)


async def _delete_template(api: SandboxApi, arguments: argparse.Namespace) -> int:
    await api.delete_template(arguments.name)
    return _show({"deleted": arguments.name}, "deleted", arguments)


async def _create_key(api: SandboxApi, arguments: argparse.Namespace) -> int:
    body: Json = {"owner": arguments.owner, "name": arguments.name}
    if arguments.scope:
        body["scopes"] = arguments.scope
    if arguments.days:
        body["expires_at"] = (datetime.now(UTC) + timedelta(days=arguments.days)).isoformat()
    made = await api.create_key(body)
    settings = Settings()
    url = settings.sandbox_url or f"http://{settings.sandbox_listen or '127.0.0.1:8090'}"
    lines = environment_lines(str(made["key"]), url, settings.sandbox_domain)
    return _show(made | {"environment": list(lines)}, "\n".join(lines), arguments)


async def _keys(api: SandboxApi, arguments: argparse.Namespace) -> int:
    found = await api.keys(arguments.owner)
    return _show({"keys": found}, sandbox_views.keys(found), arguments)


async def _revoke_key(api: SandboxApi, arguments: argparse.Namespace) -> int:
    await api.revoke_key(arguments.key_id)
    return _show({"revoked": arguments.key_id}, "revoked", arguments)


_ACTIONS: dict[str, Action] = {
    "list": _list,
    "create": _create,
    "exec": _exec,
    "kill": _kill,
    "pause": _pause,
    "resume": _resume,
    "info": _info,
    "metrics": _metrics,
    "logs": _logs,
    "template list": _templates,
    "template build": sandbox_template.build,
    "template delete": _delete_template,
    "key create": _create_key,
    "key list": _keys,
    "key revoke": _revoke_key,
}
