"""The shared cache of packages: filled by a container of our own, mounted read-only elsewhere.

No sandbox gets a network for an installation, so nothing of the tenant's can use one: what it may
install lies in the cache when its (offline) package manager runs. The container that fills it has
no network either, but the egress proxy with the registries; it runs only our image's pip or npm,
on checked names, and never a package's own code.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import ValidationError

from diono.kernel.ids import new_id
from diono.sandbox.config import SandboxConfig
from diono.sandbox.egress.certificates import ca_bundle
from diono.sandbox.egress.proxy import EgressProxy
from diono.sandbox.engine.api import EngineApi
from diono.sandbox.engine.profile import Bind, Order, container_body
from diono.sandbox.errors import EngineMissing, QuotaReached
from diono.sandbox.fleet import Templates
from diono.sandbox.installs.orders import FetchOrder, FetchResult, Plan, check
from diono.sandbox.port import Limits, NetworkPolicy
from diono.sandbox.shared_packages import make_cache_folder, packages_home
from diono.sandbox.sockets import short_path

LABEL = "diono.install"

_LIMITS = Limits(cpus=2, memory_mb=1024, pids=128)
_AT_ONCE = 2
_WAITING_LIMIT = 32
_FRESH_SECONDS = 24 * 3600.0
_ANSWER_LIMIT_BYTES = 256 * 1024
_CACHE_LIMIT_BYTES = 8 * 1024**3
_SOURCES = Path(__file__).parent.parent
_PROGRAM_PARTS = (_SOURCES / "installs" / "fetcher.py", _SOURCES / "guest" / "egress.py")
_PROGRAM_FOLDER = "/opt/diono/installs"
_TEMPLATES = {"pip": "base", "npm": "node"}
_EGRESS_FOLDER = "/run/diono-egress"


class PackageCache:
    """One a service. Between two fetches it holds nothing open."""

    def __init__(self, config: SandboxConfig, templates: Templates) -> None:
        self._config = config
        self._templates = templates
        self._home = packages_home(config)
        self.folder = self._home / "cache"
        self._npm = self._home / "npm"
        self._jobs = self._home / "jobs"
        self._known = self._home / "known"
        self._program = self._home / "program"
        self._ca_file = self._home / "ca.pem"
        self._label = hashlib.sha256(str(config.state_dir.resolve()).encode()).hexdigest()[:12]
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._running: dict[str, asyncio.Task[FetchResult]] = {}
        self._is_laid = False
        self._laying = asyncio.Lock()

    def _make_folders(self) -> None:
        make_cache_folder(self._config)
        for folder in (self._jobs, self._known):
            folder.mkdir(mode=0o700, exist_ok=True)
        self._npm.mkdir(exist_ok=True)
        self._npm.chmod(0o777)
        self._program.mkdir(mode=0o755, exist_ok=True)
        for part in _PROGRAM_PARTS:
            copy = self._program / part.name
            shutil.copyfile(part, copy)
            copy.chmod(0o644)
        bundle = ca_bundle(self._config)
        if bundle:
            self._ca_file.write_bytes(bundle)
            self._ca_file.chmod(0o644)

    async def fetch(self, order: FetchOrder) -> FetchResult:
        """Have everything of ``order`` in the cache. A result that is not ready says why.

        Raises RequirementRefused, InvalidInput, TemplateMissing (npm needs ours with Node),
        EngineMissing, QuotaReached.
        """
        plan = check(order)
        await self._lay()
        started = time.monotonic()
        known = await asyncio.to_thread(self._fresh, plan)
        if known is not None:
            seconds = time.monotonic() - started
            return known.model_copy(update={"seconds": seconds, "was_cached": True})
        task = self._running.get(plan.key)
        if task is None:
            if len(self._running) >= _WAITING_LIMIT:
                raise QuotaReached("too many packages are being fetched; try again later")
            task = asyncio.create_task(self._fetch(plan, order.timeout_seconds))
            self._running[plan.key] = task
            task.add_done_callback(lambda _: self._running.pop(plan.key, None))
        return await asyncio.shield(task)

    async def close(self) -> None:
        for task in tuple(self._running.values()):
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _lay(self) -> None:
        async with self._laying:
            if self._is_laid:
                return
            await asyncio.to_thread(self._make_folders)
            async with self._engine() as engine:
                for row in await engine.list(f"{LABEL}={self._label}"):
                    await engine.remove(row.id)
            self._is_laid = True

    @contextlib.asynccontextmanager
    async def _engine(self) -> AsyncGenerator[EngineApi]:
        engine = EngineApi(self._config.docker_host)
        try:
            yield engine
        finally:
            await engine.close()

    def _archive(self, plan: Plan) -> str:
        is_packed = plan.manager == "npm" and not plan.is_lookup
        return f"npm/{plan.key}.tar" if is_packed else ""

    def _fresh(self, plan: Plan) -> FetchResult | None:
        mark = self._known / plan.key
        is_locked = "package-lock.json" in plan.files and not plan.packages
        try:
            age = time.time() - mark.stat().st_mtime
            if not is_locked and not 0 <= age < _FRESH_SECONDS:
                return None
            if self._archive(plan):
                # It is there, and was used last now.
                os.utime(self.folder / self._archive(plan), follow_symlinks=False)
            return FetchResult.model_validate_json(mark.read_bytes())
        except (OSError, ValidationError):
            return None

    async def _fetch(self, plan: Plan, timeout_seconds: float) -> FetchResult:
        started = time.monotonic()
        async with self._slots:
            answer = await self._run(plan, timeout_seconds)
        result = answer.model_copy(
            update={
                "seconds": time.monotonic() - started,
                "packages": plan.packages,
                "archive": self._archive(plan),
            }
        )
        if result.is_ready:
            await asyncio.to_thread(self._remember, plan, result)
        return result

    def _remember(self, plan: Plan, result: FetchResult) -> None:
        (self._known / plan.key).write_text(result.model_dump_json())
        _prune(self.folder, _CACHE_LIMIT_BYTES)

    async def _run(self, plan: Plan, timeout_seconds: float) -> FetchResult:
        manager = "pip" if plan.is_lookup else plan.manager
        template = await self._templates.find(_TEMPLATES[manager], "")
        job_id = new_id("fetch")
        job = self._jobs / job_id
        job.mkdir(mode=0o755)
        try:
            async with self._way_out(job_id, job), self._engine() as engine:
                return await self._answer(engine, plan, template.image, job, timeout_seconds)
        except TimeoutError:
            return FetchResult(is_ready=False, output="fetching took too long")
        except ValidationError:
            return FetchResult(is_ready=False, output="the fetching step ended without an answer")
        finally:
            await asyncio.to_thread(shutil.rmtree, job, ignore_errors=True)

    @contextlib.asynccontextmanager
    async def _way_out(self, job_id: str, job: Path) -> AsyncGenerator[None]:
        egress = EgressProxy(self._config)
        try:
            await egress.open(job_id, str(job / "proxy.sock"))
            egress.set_policy(job_id, self._policy())
            yield
        finally:
            await egress.close_all()

    async def _answer(
        self, engine: EngineApi, plan: Plan, image: str, job: Path, seconds: float
    ) -> FetchResult:
        name = f"diono-{job.name}"
        answers: asyncio.Queue[bytes] = asyncio.Queue(1)
        try:
            async with await _listen(job / "job.sock", self._message(plan), answers):
                await engine.create(name, self._body(image, job))
                await engine.start(name)
                async with asyncio.timeout(seconds):
                    return FetchResult.model_validate_json(await answers.get())
        finally:
            with contextlib.suppress(EngineMissing):  # what is left is cleared next time
                await asyncio.shield(engine.remove(name))

    def _policy(self) -> NetworkPolicy:
        index = urlsplit(self._config.pip_index_url).hostname
        return NetworkPolicy(allow_out=(*self._config.registries, *([index] if index else [])))

    def _message(self, plan: Plan) -> bytes:
        message = {
            **plan.model_dump(mode="json"),
            "key": plan.key,
            "index_url": self._config.pip_index_url,
        }
        return json.dumps(message).encode() + b"\n"

    def _body(self, image: str, job: Path) -> dict[str, object]:
        binds = [
            Bind(str(job), _EGRESS_FOLDER),
            Bind(str(self.folder), "/cache", is_read_only=False),
            Bind(str(self._npm), "/npm-cache", is_read_only=False),
            Bind(str(self._program), _PROGRAM_FOLDER),
        ]
        if self._ca_file.exists():
            binds.append(Bind(str(self._ca_file), "/etc/diono-ca.pem"))
        command: Sequence[str] = ("python3", "-I", "-B", f"{_PROGRAM_FOLDER}/fetcher.py")
        labels = {LABEL: self._label}
        order = Order(image, command, _LIMITS, binds, labels, self._config.runtime, {})
        return container_body(order)


async def _listen(path: Path, message: bytes, answers: asyncio.Queue[bytes]) -> asyncio.Server:
    """Give ``message`` to whoever connects first and put its answer, or nothing, into the queue."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(message)
            await writer.drain()
            line = await reader.readline()
        except (OSError, ValueError):
            line = b""
        finally:
            writer.close()
        with contextlib.suppress(asyncio.QueueFull):
            answers.put_nowait(line)

    with short_path(path) as name:
        server = await asyncio.start_unix_server(serve, name, limit=_ANSWER_LIMIT_BYTES)
    await asyncio.to_thread(path.chmod, 0o666)
    return server


def _prune(folder: Path, limit_bytes: int) -> None:
    """Delete the oldest files until the rest fits. The folders hold flat files of ours."""
    files = [
        (seen.st_mtime, seen.st_size, path)
        for kind in ("wheels", "npm")
        for path in (folder / kind).iterdir()
        for seen in (path.lstat(),)
    ]
    excess = sum(size for _, size, _ in files) - limit_bytes
    for _, size, path in sorted(files):
        if excess <= 0:
            break
        with contextlib.suppress(OSError):
            path.unlink()
        excess -= size
