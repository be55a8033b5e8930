"""The engine dies, hangs, restarts or is full, and the service is killed at any step: nothing
succeeds without an exit code, nothing is left, and no file is lost."""

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator, Iterator

import docker
import pytest
from adversarial.service.engine_proxy import Door, EngineDoor, engine_door
from adversarial.service.service_rig import Service, running
from contract.sandbox_rigs import run, spec
from contract.waiting import until

from diono.kernel.errors import DionoError
from diono.sandbox.port import ExecResult, ExitReason, Sandbox, Sandboxes

pytestmark = pytest.mark.engine

ORPHAN_SECONDS = 30


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineDoor]:
    with engine_door(tmp_path_factory.mktemp("door") / "engine.sock") as door:
        yield door


@pytest.fixture(scope="module")
def service(door: EngineDoor) -> Iterator[Service]:
    with running(docker_host=door.address) as service:
        yield service
        door.set(Door.OPEN)


@pytest.fixture
async def sandboxes(service: Service, door: EngineDoor) -> AsyncIterator[Sandboxes]:
    client = service.client()
    yield client
    door.set(Door.OPEN)
    await client.close()


async def outcome(call: asyncio.Task[ExecResult]) -> ExecResult | DionoError:
    try:
        async with asyncio.timeout(60):
            return await call
    except DionoError as error:
        return error


OPENS = 4


async def open_many(sandboxes: Sandboxes, prefix: str) -> None:
    """The first get the machines that wait in the pool."""
    for number in range(OPENS):
        await sandboxes.open(spec(f"{prefix}-{number}"))


async def opened(sandboxes: Sandboxes, project: str = "project") -> Sandbox:
    """Return a sandbox as a patient caller gets one once the engine is back."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await sandboxes.open(spec(project))
            except DionoError:
                await asyncio.sleep(0.3)


@pytest.mark.parametrize("state", [Door.SHUT, Door.CUT, Door.FULL])
async def test_an_engine_that_fails_is_told_and_comes_back(
    sandboxes: Sandboxes, sandbox: Sandbox, door: EngineDoor, state: Door
) -> None:
    """What runs goes on without the engine; what needs it is refused, typed, in a bounded time."""
    door.set(state)
    assert (await run(sandbox, "echo", "still here")).stdout == "still here\n"
    started = time.monotonic()
    with pytest.raises(DionoError):
        await open_many(sandboxes, f"new-{state}")
    assert time.monotonic() - started < 30
    door.set(Door.OPEN)
    again = await opened(sandboxes, "after")
    assert (await run(again, "true")).is_success
    await sandboxes.kill("owner", "after")
    for number in range(OPENS):
        await sandboxes.kill("owner", f"new-{state}-{number}")


async def test_an_engine_that_hangs_holds_up_no_running_sandbox(
    sandboxes: Sandboxes, sandbox: Sandbox, door: EngineDoor
) -> None:
    door.set(Door.HELD)
    late = [asyncio.create_task(sandboxes.open(spec(f"late-{number}"))) for number in range(3)]
    for _ in range(5):
        started = time.monotonic()
        assert (await run(sandbox, "true")).is_success
        assert time.monotonic() - started < 2
    await asyncio.sleep(1)
    door.set(Door.OPEN)
    for result in await asyncio.gather(*late, return_exceptions=True):
        assert not isinstance(result, Exception) or isinstance(result, DionoError)
    for number in range(3):
        await sandboxes.kill("owner", f"late-{number}")


async def test_x05_a_container_removed_from_outside_is_lost_and_its_files_are_not(
    sandboxes: Sandboxes, sandbox: Sandbox, engine: docker.DockerClient, service: Service
) -> None:
    await sandbox.write_file("kept.txt", b"kept")
    running_call = asyncio.create_task(run(sandbox, "sleep", "60"))
    await asyncio.sleep(0.5)
    for container in service.containers(engine):
        engine.api.remove_container(container, force=True)
    ended = await outcome(running_call)
    assert isinstance(ended, DionoError) or ended.reason is ExitReason.LOST
    async with asyncio.timeout(30):
        while True:
            try:
                content = await (await sandboxes.open(spec())).read_file("kept.txt")
                break
            except DionoError:
                await asyncio.sleep(0.3)
    assert content == b"kept"


@pytest.mark.parametrize("delay_seconds", [0.0, 0.05, 0.2, 0.5])
async def test_x02_a_service_killed_at_any_step_comes_back_clean(
    engine: docker.DockerClient, service: Service, delay_seconds: float
) -> None:
    """Killed while it creates, runs, pauses: no run succeeds, no orphan, every file is there."""
    client = service.client()
    sandbox = await client.open(spec())
    content = os.urandom(100_000)
    await sandbox.write_file("kept.bin", content)
    calls = [
        asyncio.create_task(run(sandbox, "sh", "-c", "sleep 30; echo done")),
        asyncio.create_task(client.open(spec("another"))),
        asyncio.create_task(client.open(spec("third"))),
    ]
    await asyncio.sleep(delay_seconds)
    await asyncio.to_thread(service.kill)
    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert not (isinstance(ended[0], ExecResult) and ended[0].is_success)
    await client.close()
    before = set(service.containers(engine))
    await asyncio.to_thread(service.start)
    client = service.client()
    restored = await opened(client)
    digest = hashlib.sha256(await restored.read_file("kept.bin")).digest()
    assert digest == hashlib.sha256(content).digest()
    for project in ("project", "another", "third"):
        await client.kill("owner", project)
        await client.delete_workspace("owner", project)
    await until(
        lambda: len(set(service.containers(engine)) & before) <= service.config.pool_size,
        "the orphans are gone",
        seconds=ORPHAN_SECONDS,
    )
    await client.close()


async def test_files_are_intact_over_ten_pauses(sandboxes: Sandboxes, sandbox: Sandbox) -> None:
    content = os.urandom(2_000_000)
    await sandbox.write_file("kept.bin", content)
    expected = hashlib.sha256(content).hexdigest()
    for _ in range(10):
        assert await sandboxes.pause("owner", "project")
        woken = await sandboxes.open(spec())
        shown = await run(woken, "sha256sum", "kept.bin")
        assert shown.stdout.split()[0] == expected
