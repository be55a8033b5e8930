"""`diono sandbox template build`: from a Dockerfile or a list of packages, over the E2B wire."""

import argparse
import asyncio
import hashlib
import io
import shlex
import sys
import tarfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

from diono.cli.dockerfile import Recipe, parse_dockerfile
from diono.cli.outcome import Exit, ServerProblem, UsageError
from diono.cli.sandbox_api import Json, SandboxApi, as_text
from diono.cli.shapes import entries, section
from diono.cli.text import one_line

_POLL_SECONDS = 0.5
_CONTEXT_LIMIT_BYTES = 200 * 2**20


async def build(api: SandboxApi, arguments: argparse.Namespace) -> int:
    """Build, showing the log on stderr; FAILED if the build fails."""
    recipe = _recipe(arguments)
    body: Json = {"name": arguments.name}
    if arguments.memory_mb:
        body["memoryMB"] = arguments.memory_mb
    if arguments.cpus:
        body["cpuCount"] = arguments.cpus
    ticket = await api.post("/v3/templates", body)
    template_id, build_id = str(ticket["templateID"]), str(ticket["buildID"])
    folder = arguments.dockerfile.parent if arguments.dockerfile else Path()
    await _send_sources(api, recipe, folder, template_id)
    place = f"templates/{quote(template_id, safe='')}/builds/{quote(build_id, safe='')}"
    await api.post(f"/v2/{place}", _start_body(recipe))
    state = await _follow(api, f"/{place}/status")
    reason = str(section(state, "reason").get("message", ""))
    is_ready = state["status"] == "ready"
    if arguments.as_json:
        print(as_text({"templateID": template_id, "status": state["status"], "reason": reason}))
    elif is_ready:
        print(f"{arguments.name} ({template_id}) is ready: diono sandbox create {arguments.name}")
    if not is_ready:
        print(f"the build failed: {one_line(reason, 400)}", file=sys.stderr)
    return Exit.OK if is_ready else Exit.FAILED


def _recipe(arguments: argparse.Namespace) -> Recipe:
    if arguments.dockerfile is None:
        recipe = Recipe(parent=arguments.parent)
    else:
        try:
            recipe = parse_dockerfile(arguments.dockerfile.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{arguments.dockerfile} cannot be read: {error}") from error
    lists = (
        ("apt-get update && apt-get install -y --no-install-recommends", arguments.apt),
        ("pip install --no-cache-dir", arguments.pip),
        ("npm install -g", arguments.npm),
    )
    for command, packages in lists:
        if any(package.startswith("-") for package in packages):
            raise UsageError("a package's name does not start with '-'")
        if packages:
            step: Json = {"type": "RUN", "args": [f"{command} {shlex.join(packages)}", "root"]}
            recipe.steps.append(step)
    if not recipe.steps:
        raise UsageError("say what to add: --dockerfile FILE, or --apt, --pip, --npm PACKAGE")
    return recipe


def _start_body(recipe: Recipe) -> Json:
    body: Json = {"steps": recipe.steps, "force": False}
    if recipe.parent:
        body["fromTemplate"] = recipe.parent
    else:
        body["fromImage"] = recipe.image
    if recipe.start_command:
        body["startCmd"] = recipe.start_command
    return body


async def _send_sources(api: SandboxApi, recipe: Recipe, folder: Path, template_id: str) -> None:
    for number, source in recipe.sources.items():
        archive = await asyncio.to_thread(_pack, folder, source)
        digest = hashlib.sha256(archive).hexdigest()
        recipe.steps[number]["filesHash"] = digest
        answer = await api.get(f"/templates/{quote(template_id, safe='')}/files/{digest}")
        if not answer.get("present"):
            await api.upload(str(answer["url"]), archive)


def _pack(folder: Path, source: str) -> bytes:
    """Return a gzipped tar of what ``source`` names below ``folder``; always the same bytes."""
    found = sorted(folder.glob(source)) if any(c in source for c in "*?[") else [folder / source]
    if not found or not all(path.exists() for path in found):
        raise UsageError(f"COPY {source}: no such file beside the Dockerfile")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in found:
            archive.add(path, path.relative_to(folder).as_posix(), filter=_plain)
    if buffer.tell() > _CONTEXT_LIMIT_BYTES:
        raise UsageError(f"COPY {source}: more than 200 MiB; leave out what is not needed")
    return buffer.getvalue()


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 0
    return member


async def _follow(api: SandboxApi, path: str) -> Json:
    offset = 0
    while True:
        state: Any = await api.get(path, {"logsOffset": str(offset)})
        said = entries(state, "logEntries")
        for entry in said:
            print(f"  {one_line(entry.get('message', ''), 200)}", file=sys.stderr)
        offset += len(said)
        if said:
            continue
        if state.get("status") in ("ready", "error"):
            return state
        if state.get("status") not in ("building", "waiting"):
            raise ServerProblem(f"the service told an unknown state: {state.get('status')!r}")
        await asyncio.sleep(_POLL_SECONDS)
