"""Projects as running programs: found out, installed, built, started, looked at and shared."""

import time
from collections.abc import Sequence
from datetime import timedelta

from diono.features.previews.schemas import PreviewLink, SharedPreview
from diono.features.previews.service import Previews
from diono.features.projects.service import sandbox_of
from diono.features.services.errors import (
    NoPort,
    NothingToRun,
    ServiceNotStarted,
    StepFailed,
    ToolMissing,
)
from diono.features.services.schemas import (
    APP,
    RunMode,
    RunProject,
    RunReport,
    StartService,
    StepReport,
)
from diono.kernel.errors import InvalidInput
from diono.sandbox.checks import workspace_path
from diono.sandbox.errors import FileMissing, FileTooLarge, PathRefused
from diono.sandbox.port import (
    ExecRequest,
    ExecResult,
    LogPage,
    RestartPolicy,
    Sandbox,
    Sandboxes,
    SandboxSpec,
    ServiceSignal,
    ServiceSpec,
    ServiceStatus,
)
from diono.sandbox.project_plan import ProjectPlan
from diono.sandbox.project_types import READ_LIMIT_BYTES, detect, files_to_read

_DEPTH = 3
_INSTALL_SECONDS = 300.0
_BUILD_SECONDS = 300.0
_START_SECONDS = 60.0
_TAIL_LENGTH = 2_000

Project = tuple[str, str]


class ProjectServices:
    """Every method takes (owner, project), whose owner has been checked."""

    def __init__(self, sandboxes: Sandboxes, previews: Previews) -> None:
        self._sandboxes = sandboxes
        self._previews = previews

    async def plans(self, project: Project) -> Sequence[ProjectPlan]:
        """Tell from the project's files how it can be run, the likeliest way first."""
        return await _plans_of(await self._sandboxes.open(sandbox_of(*project)))

    async def _plan(self, project: Project, root: str | None) -> ProjectPlan:
        plans = await self.plans(project)
        wanted = None if root is None else workspace_path(root)
        found = next((plan for plan in plans if wanted in (None, plan.root)), None)
        if found is None:
            raise NothingToRun(
                "No file here says how the project is run. Add a main.py, package.json, "
                "index.html or go.mod, or start a service with a command of your own."
            )
        return found

    async def _equipped(self, project: Project, plan: ProjectPlan) -> tuple[Sandbox, SandboxSpec]:
        """Open the sandbox with the plan's tools; one without them makes room for it."""
        spec = sandbox_of(*project, template=plan.template)
        sandbox = await self._sandboxes.open(spec)
        if await _has(sandbox, plan.tool):
            return sandbox, spec
        await self._sandboxes.kill(*project)
        sandbox = await self._sandboxes.open(spec)
        if not await _has(sandbox, plan.tool):
            raise ToolMissing(f"The sandbox image {plan.template!r} has no {plan.tool!r}.")
        return sandbox, spec

    async def run(
        self, project: Project, wanted: RunProject, host: str, user_id: str = ""
    ) -> RunReport:
        """Find out, install, build, start and show. Raises NothingToRun, StepFailed,
        ServiceNotStarted, and what the sandbox raises."""
        plan = await self._plan(project, wanted.root)
        sandbox, spec = await self._equipped(project, plan)
        is_developing = wanted.mode is RunMode.DEVELOPMENT and bool(plan.develop)
        steps = await _prepared(sandbox, plan, with_build=not is_developing)
        if plan.port is None:
            return RunReport(plan=plan, steps=steps, service=None, preview=None)
        service = _service_of(plan, plan.develop if is_developing else plan.run)
        status = await sandbox.start_service(service)
        if not status.is_healthy:
            raise ServiceNotStarted(
                f"The program did not open port {plan.port} in time. Its last output: "
                f"{status.log_tail[-_TAIL_LENGTH:] or '(none)'}"
            )
        preview = await self._previews.open(spec, service, host, user_id)
        return RunReport(plan=plan, steps=steps, service=status, preview=preview)

    async def services(self, project: Project) -> Sequence[ServiceStatus]:
        sandbox = await self._sandboxes.find(*project)
        return [] if sandbox is None else await sandbox.list_services()

    async def start(self, project: Project, wanted: StartService) -> ServiceStatus:
        """Start a given command, or the program that the files tell of."""
        if wanted.argv is not None:
            sandbox = await self._sandboxes.open(sandbox_of(*project))
            return await sandbox.start_service(
                ServiceSpec(
                    name=wanted.name,
                    argv=wanted.argv,
                    port=wanted.port,
                    cwd=wanted.cwd,
                    env=wanted.env,
                    restart=wanted.restart,
                    start_timeout_seconds=wanted.start_timeout_seconds,
                )
            )
        plan = await self._plan(project, None)
        sandbox, _ = await self._equipped(project, plan)
        service = _service_of(plan, plan.develop or plan.run)
        return await sandbox.start_service(
            service.model_copy(update={"name": wanted.name, "restart": wanted.restart})
        )

    async def status(self, project: Project, name: str) -> ServiceStatus:
        sandbox = await self._sandboxes.open(sandbox_of(*project))
        return await sandbox.service_status(name)

    async def stop(self, project: Project, name: str) -> None:
        sandbox = await self._sandboxes.find(*project)
        if sandbox is not None:
            await sandbox.stop_service(name)

    async def restart(self, project: Project, name: str) -> ServiceStatus:
        sandbox = await self._sandboxes.open(sandbox_of(*project))
        return await sandbox.restart_service(name)

    async def signal(self, project: Project, name: str, signal: ServiceSignal) -> ServiceStatus:
        sandbox = await self._sandboxes.open(sandbox_of(*project))
        await sandbox.signal_service(name, signal)
        return await sandbox.service_status(name)

    async def logs(self, project: Project, name: str, cursor: int, limit_bytes: int) -> LogPage:
        sandbox = await self._sandboxes.open(sandbox_of(*project))
        return await sandbox.service_logs(name, cursor, limit_bytes)

    async def preview(
        self, project: Project, name: str, host: str, user_id: str = ""
    ) -> PreviewLink:
        """Return a link of a user (empty: the owner) to a running service, or to the project's own
        program."""
        spec, service = await self._shown(project, name)
        return await self._previews.open(spec, service, host, user_id)

    async def share(
        self, project: Project, name: str, host: str, lifetime: timedelta
    ) -> SharedPreview:
        spec, service = await self._shown(project, name)
        return await self._previews.share(spec, service, host, lifetime)

    async def unshare(self, project: Project) -> None:
        """Every link given away stops working at once."""
        await self._previews.shares.revoke(project[1])

    async def _shown(self, project: Project, name: str) -> tuple[SandboxSpec, ServiceSpec]:
        running = {status.name: status for status in await self.services(project)}
        if name == APP:
            plan = await self._plan(project, None)
            spec = sandbox_of(*project, template=plan.template)
            service = _service_of(plan, plan.develop or plan.run)
            if APP in running and running[APP].port is not None:
                service = service.model_copy(update={"port": running[APP].port})
            if service.port is None:
                raise NoPort("The program opens no port, so there is nothing to look at.")
            return spec, service
        status = running.get(name)
        if status is None or status.port is None:
            raise NoPort(f"There is no running service {name!r} with a port; start it first.")
        # A service of its own command is shown while it runs; what it was is not kept here.
        return sandbox_of(*project), ServiceSpec(name=name, argv=("false",), port=status.port)


async def _plans_of(sandbox: Sandbox) -> list[ProjectPlan]:
    entries = await sandbox.list_files(".", _DEPTH)
    paths = [entry.path for entry in entries if not entry.is_dir]
    texts: dict[str, str] = {}
    for path in files_to_read(paths):
        try:
            content = await sandbox.read_file(path, READ_LIMIT_BYTES)
        except (FileMissing, FileTooLarge, PathRefused):
            continue
        texts[path] = content.decode("utf-8", "replace")
    return detect(paths, texts)


async def _has(sandbox: Sandbox, tool: str) -> bool:
    probe = ("/bin/sh", "-c", 'command -v "$0"', tool)
    return (await sandbox.execute(ExecRequest(argv=probe))).is_success


async def _prepared(sandbox: Sandbox, plan: ProjectPlan, with_build: bool) -> list[StepReport]:
    steps: list[StepReport] = []
    if plan.packages:
        started = time.monotonic()
        done = await sandbox.install(plan.packages, _INSTALL_SECONDS)
        steps.append(_report("install", done, started))
    if plan.has_modules:
        started = time.monotonic()
        done = await sandbox.install_node(plan.root, _INSTALL_SECONDS)
        steps.append(_report("install", done, started))
    if plan.build and (with_build or plan.is_always_built or not plan.develop):
        started = time.monotonic()
        request = ExecRequest(
            argv=plan.build, cwd=plan.root, env=plan.env, timeout_seconds=_BUILD_SECONDS
        )
        steps.append(_report("build", await sandbox.execute(request), started))
    return steps


def _report(name: str, done: ExecResult, started: float) -> StepReport:
    """Raises StepFailed."""
    output = (done.stdout + done.stderr)[-_TAIL_LENGTH:]
    if not done.is_success:
        why = done.reason.value if done.exit_code is None else f"exit code {done.exit_code}"
        raise StepFailed(f"The step {name!r} failed ({why}): {output.strip() or '(no output)'}")
    return StepReport(name=name, seconds=round(time.monotonic() - started, 3), output=output)


def _service_of(plan: ProjectPlan, argv: tuple[str, ...]) -> ServiceSpec:
    if not argv:
        raise InvalidInput("the plan has no command")
    return ServiceSpec(
        name=APP,
        argv=argv,
        port=plan.port,
        cwd=plan.root,
        env=plan.env,
        restart=RestartPolicy.ON_FAILURE,
        start_timeout_seconds=_START_SECONDS,
    )
