"""`diono build "PROMPT"`: one sentence becomes a running, checked program, or an honest receipt."""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from diono.cli.api import Api
from diono.cli.connect import is_remote, open_api
from diono.cli.deciding import ask_decision, send_decision
from diono.cli.outcome import Exit
from diono.cli.prepare import Preparation
from diono.cli.receipt import build_result, receipt_lines
from diono.cli.server import find_server
from diono.cli.steering import budgets_of
from diono.cli.text import one_line
from diono.cli.timeline import Line, Timeline, View
from diono.cli.unpack import require_empty, unpack
from diono.cli.views import open_view
from diono.kernel.errors import DionoError
from diono.settings import Settings

JsonObject = dict[str, Any]
_NEEDED = ("engine", "image", "model")
_LATER = ("frontend",)


def run(arguments: argparse.Namespace) -> int:
    if arguments.out is not None:
        require_empty(arguments.out)
    return asyncio.run(_run(arguments, Settings()))


async def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    preparation = Preparation(settings, is_offline=arguments.offline)
    if not is_remote(settings) and find_server(settings) is None:
        preparation.begin(_LATER)
        await preparation.finish(_NEEDED)
    try:
        async with await asyncio.to_thread(open_api, settings) as api:
            request: JsonObject = {"prompt": arguments.prompt}
            if arguments.model:
                request["model"] = arguments.model
            if arguments.priority is not None:
                request["priority"] = arguments.priority
            request.update(budgets_of(arguments))
            request["options"] = _options_of(arguments)
            may_ask = not arguments.as_json and sys.stdin.isatty()
            build = _Build(api, settings.data_dir / "exports", arguments.out, may_ask)
            result = await build.run(request, as_json=arguments.as_json)
    finally:
        await preparation.end()
    return Exit.OK if result["status"] == "SUCCEEDED" else Exit.FAILED


def _options_of(arguments: argparse.Namespace) -> JsonObject:
    options = {
        "workflow": arguments.workflow,
        "approval": "plan" if arguments.approve else None,
        "max_iterations": arguments.max_iterations,
    }
    return {name: value for name, value in options.items() if value is not None}


@dataclass
class _Build:
    """One task from request to receipt."""

    api: Api
    exports: Path
    out: Path | None
    may_ask: bool = False
    task_id: str = ""
    _interrupts: int = 0

    async def run(self, request: JsonObject, *, as_json: bool) -> JsonObject:
        state = await self.api.post("/api/tasks", request)
        self.task_id = str(state["task_id"])
        view = open_view(sys.stderr if as_json else sys.stdout)
        try:
            state = await self._follow(view)
            result = await self._collect(state, view)
        finally:
            view.close()
        for line in receipt_lines(result):
            view.show(line)
        if as_json:
            print(json.dumps(result, ensure_ascii=False), flush=True)
        return result

    async def _follow(self, view: View) -> JsonObject:
        """Run the task and show its events until it has ended; Ctrl-C cancels it."""
        loop = asyncio.get_running_loop()
        current = asyncio.current_task()
        cancels: set[asyncio.Task[JsonObject]] = set()

        def interrupt() -> None:
            self._interrupts += 1
            if self._interrupts > 1 and current is not None:
                current.cancel()
                return
            view.show(Line("cancelling; press Ctrl-C again to leave at once", "bad"))
            cancels.add(asyncio.create_task(self.api.cancel(self.task_id)))

        loop.add_signal_handler(signal.SIGINT, interrupt)
        try:
            await self.api.post(f"{self._path}/run")
            timeline = Timeline(view)
            async for event in self.api.events(self.task_id):
                timeline.take(event)
                payload: JsonObject = event.get("payload") or {}
                question: JsonObject = payload.get("question") or {}
                if question:
                    await self._decide(question, view)
            await asyncio.gather(*cancels, return_exceptions=True)
            return await self.api.state(self.task_id)
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        finally:
            loop.remove_signal_handler(signal.SIGINT)

    async def _decide(self, question: JsonObject, view: View) -> None:
        """Answer what the task asks, if somebody is here; any other client may do so as well."""
        state = await self.api.state(self.task_id)
        waiting: JsonObject = state.get("waiting_for") or {}
        if waiting.get("key") != question.get("key"):
            return
        if not self.may_ask:
            view.show(Line(f"  {one_line(question.get('text', ''))}", "strong"))
            view.show(Line(f"  waiting: diono tasks approve {self.task_id} (or reject)", "strong"))
            return
        decision = await ask_decision(question)
        try:
            await send_decision(self.api, self.task_id, question, decision)
        except DionoError as error:
            view.show(Line(f"  {error}", "bad"))

    async def _collect(self, state: JsonObject, view: View) -> JsonObject:
        """Fetch what the task left: its files, and a link to its preview."""
        workspace = await _or_none(view, "the files", self._save)
        preview = None
        if state.get("has_preview"):
            preview = await _or_none(view, "the preview", self._open_preview)
        return build_result(state, preview, workspace)

    async def _save(self) -> str:
        archive = await self.api.download(f"{self._path}/export")
        folder = (self.exports / self.task_id).resolve()
        await asyncio.to_thread(unpack, archive, folder)
        if self.out is not None:
            await asyncio.to_thread(unpack, archive, self.out)
        return str(folder)

    async def _open_preview(self) -> str:
        return str((await self.api.post(f"{self._path}/preview"))["url"])

    @property
    def _path(self) -> str:
        return f"/api/tasks/{quote(self.task_id, safe='')}"


async def _or_none(view: View, what: str, fetch: Callable[[], Awaitable[str]]) -> str | None:
    """Return what ``fetch`` gives; a task without it still has its receipt."""
    try:
        return await fetch()
    except (DionoError, OSError) as error:
        view.show(Line(f"  {what} could not be fetched: {error}", "bad"))
        return None
