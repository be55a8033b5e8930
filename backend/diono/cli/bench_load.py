"""What people wait for while others work: a hundred users' requests beside running builds.

Requests are sent at fixed moments whether or not earlier ones were answered, and each is timed from
the moment it was due: a server that stands still is charged for all who wait. They begin when the
first build's model has answered once: loading it is told apart, as the longest wait meanwhile.
"""

import asyncio
import itertools
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from diono.cli import measure
from diono.cli.bench_load_users import Visitor, make_visitors
from diono.cli.outcome import ServerProblem
from diono.cli.sandbox_bench.clock import Samples
from diono.cli.server import next_free_port
from diono.settings import Settings

_FIRST_PORT = 18_800
_FIRST_PREVIEW_PORT = 19_000
_PREVIEW_PORTS = 40
_P95_SECONDS = 0.3
_SEED = 20
_BUILD_PROMPTS = (
    "A command-line tool that converts temperatures between Celsius, Fahrenheit and Kelvin",
    "A web app to keep a list of books with title, author and pages",
)


@dataclass(frozen=True)
class LoadPlan:
    """``rate`` is requests a second, of all users together."""

    users: int
    rate: int
    seconds: int
    builds: int
    model: str | None


Call = Callable[[Visitor], Awaitable[httpx.Response]]


def _state(visitor: Visitor) -> Awaitable[httpx.Response]:
    return visitor.client.get(f"/api/tasks/{visitor.task_id}/state")


def _events(visitor: Visitor) -> Awaitable[httpx.Response]:
    return visitor.client.get(f"/api/tasks/{visitor.task_id}/events")


def _tasks(visitor: Visitor) -> Awaitable[httpx.Response]:
    return visitor.client.get("/api/tasks")


def _projects(visitor: Visitor) -> Awaitable[httpx.Response]:
    return visitor.client.get("/api/users/me/projects")


def _project(visitor: Visitor) -> Awaitable[httpx.Response]:
    return visitor.client.get(f"/api/projects/{visitor.project_id}")


def _create(visitor: Visitor) -> Awaitable[httpx.Response]:
    body = {"prompt": "A word counter", "project_id": visitor.project_id}
    return visitor.client.post("/api/tasks", json=body)


def _search(visitor: Visitor) -> Awaitable[httpx.Response]:
    path = f"/api/projects/{visitor.archive_id}/documents/search"
    return visitor.client.get(path, params={"q": "river orchard winter"})


def _library(visitor: Visitor) -> Awaitable[httpx.Response]:
    return visitor.client.get(f"/api/projects/{visitor.project_id}/library")


def _sign_in(visitor: Visitor) -> Awaitable[httpx.Response]:
    form = {"username": visitor.username, "password": visitor.password}
    return visitor.client.post("/api/auth/token", data=form)


# What a dashboard asks for, by how often: one sign-in in forty, one search in ten.
_MIX: Sequence[tuple[str, int, Call]] = (
    ("a task's state", 9, _state),
    ("a task's events", 6, _events),
    ("list of tasks", 6, _tasks),
    ("list of projects", 5, _projects),
    ("a project", 4, _project),
    ("search of documents", 4, _search),
    ("a project's library", 3, _library),
    ("a new task", 2, _create),
    ("sign-in", 1, _sign_in),
)


@dataclass
class _Measured:
    samples: dict[str, Samples] = field(
        default_factory=lambda: {name: Samples(name) for name, _, _ in _MIX}
    )
    builds: list[str] = field(default_factory=list[str])
    is_warm: asyncio.Event = field(default_factory=asyncio.Event)
    loading_seconds: float = 0.0


async def bench_load(settings: Settings, plan: LoadPlan) -> dict[str, Any]:
    """Raises ServerProblem if the server does not start."""
    with tempfile.TemporaryDirectory(prefix="diono-bench-load-") as name:
        folder = Path(name)
        own = settings.model_copy(update={"data_dir": folder / "data"})
        async with _server(own, folder) as url:
            print(f"  {plan.users} users sign in ...", file=sys.stderr, flush=True)
            async with make_visitors(own, url, plan.users) as visitors:
                measured = await _measure(visitors, plan)
    return _result(plan, measured)


@asynccontextmanager
async def _server(settings: Settings, folder: Path) -> AsyncGenerator[str]:
    port = next_free_port("127.0.0.1", _FIRST_PORT)
    first = next_free_port("127.0.0.1", _FIRST_PREVIEW_PORT)
    environment = {
        "DIONO_DATA_DIR": str(settings.data_dir),
        "DIONO_SANDBOX_LISTEN": "",
        "DIONO_PREVIEW_PORTS": f"{first}-{first + _PREVIEW_PORTS}",
    }
    argv = ["env", *(f"{name}={value}" for name, value in environment.items())]
    argv += [sys.executable, "-P", "-m", "diono.cli", "up", "--no-setup", "--port", str(port)]
    process = measure.start(argv, folder / "server.log")
    try:
        await asyncio.to_thread(
            measure.seconds_to, "/health/ready", port, process, time.monotonic()
        )
        yield f"http://127.0.0.1:{port}"
    finally:
        await asyncio.to_thread(measure.stop, process)


async def _measure(visitors: Sequence[Visitor], plan: LoadPlan) -> _Measured:
    measured = _Measured()
    builders = [
        asyncio.create_task(_keep_building(visitor, prompt, plan.model, measured))
        for visitor, prompt in zip(
            visitors[: plan.builds], itertools.cycle(_BUILD_PROMPTS), strict=False
        )
    ]
    try:
        if builders:
            measured.loading_seconds = await _longest_wait(visitors[-1], measured.is_warm, builders)
        print(f"  {plan.rate} requests a second for {plan.seconds} s", file=sys.stderr, flush=True)
        await _send_all(visitors, plan, measured)
    finally:
        for builder in builders:
            builder.cancel()
        await asyncio.gather(*builders, return_exceptions=True)
    return measured


async def _longest_wait(
    visitor: Visitor, until: asyncio.Event, builders: Sequence[asyncio.Task[None]]
) -> float:
    """Return the seconds of the slowest of requests that follow each other. Raises what ends a
    build before its time."""
    longest = 0.0
    while not until.is_set():
        for builder in builders:
            if builder.done():
                builder.result()
        started = time.monotonic()
        await _state(visitor)
        longest = max(longest, time.monotonic() - started)
    return longest


async def _send_all(visitors: Sequence[Visitor], plan: LoadPlan, measured: _Measured) -> None:
    chance = random.Random(_SEED)  # noqa: S311 - the mix of requests, the same in every run
    weights = [weight for _, weight, _ in _MIX]
    started = time.monotonic()
    async with asyncio.TaskGroup() as sent:
        for number in range(plan.rate * plan.seconds):
            due_at = started + number / plan.rate
            await asyncio.sleep(max(0.0, due_at - time.monotonic()))
            name, _, call = chance.choices(_MIX, weights)[0]
            visitor = visitors[number % len(visitors)]
            sent.create_task(_time(call, visitor, due_at, measured.samples[name]))


async def _time(call: Call, visitor: Visitor, due_at: float, samples: Samples) -> None:
    try:
        answer = await call(visitor)
    except httpx.HTTPError as error:
        samples.failures.append(f"{type(error).__name__}: {error}")
        return
    if answer.is_error:
        samples.failures.append(f"{answer.status_code}: {answer.text[:200]}")
    samples.seconds.append(time.monotonic() - due_at)


async def _keep_building(
    visitor: Visitor, prompt: str, model: str | None, measured: _Measured
) -> None:
    """Build again and again until cancelled."""
    while True:
        body = {"prompt": prompt} | ({"model": model} if model else {})
        made = await visitor.client.post("/api/tasks", json=body)
        if made.is_error:
            raise ServerProblem(f"a build was refused: {made.text[:300]}")
        task_id = made.json()["task_id"]
        await visitor.client.post(f"/api/tasks/{task_id}/run")
        path = f"/api/tasks/{task_id}/events/stream"
        async with visitor.client.stream("GET", path, timeout=None) as events:
            async for line in events.aiter_lines():
                if line == "event: AGENT_COMPLETE":
                    measured.is_warm.set()
        state = (await visitor.client.get(f"/api/tasks/{task_id}/state")).json()
        measured.builds.append(str(state["status"]))


def _result(plan: LoadPlan, measured: _Measured) -> dict[str, Any]:
    everything = Samples("all requests")
    for samples in measured.samples.values():
        everything.seconds += samples.seconds
        everything.failures += samples.failures
    rows = {name: samples.as_json() for name, samples in measured.samples.items()}
    return {
        "machine": measure.machine(),
        "users": plan.users,
        "rate": plan.rate,
        "seconds": plan.seconds,
        "builds_at_a_time": plan.builds,
        "builds_ended": measured.builds,
        "loading_seconds": round(measured.loading_seconds, 2),
        "load_average": os.getloadavg()[0],
        "rows": rows | {everything.name: everything.as_json()},
        "keeps_promise": not everything.failures and everything.at(95) < _P95_SECONDS,
    }


def load_table(result: dict[str, Any]) -> str:
    """Return the figures as Markdown."""
    lines = [
        (
            f"`diono bench load`: {result['users']} users, {result['rate']} requests a second for "
            f"{result['seconds']} s, {result['builds_at_a_time']} builds beside them "
            f"({len(result['builds_ended'])} ended); the longest wait while the model was loaded: "
            f"{result['loading_seconds']} s; {result['machine']}"
        ),
        "",
        "| request | n | p50 ms | p95 ms | most ms | failed |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in result["rows"].items():
        shown = [f"{row.get(key, 0):.0f}" for key in ("p50_ms", "p95_ms", "max_ms")]
        lines.append(f"| {name} | {row['n']} | {' | '.join(shown)} | {row.get('failures', 0)} |")
    firsts = {
        name: row["first_failure"] for name, row in result["rows"].items() if "first_failure" in row
    }
    return "\n".join([*lines, *(f"\n- {name}: {text}" for name, text in firsts.items())])
