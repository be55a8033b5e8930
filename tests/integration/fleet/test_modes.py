"""Other grounds: the weak quota mode, an engine that is away, hangs or comes back."""

import asyncio
import contextlib
import time
from pathlib import Path

import pytest
from integration.fleet import rigs
from integration.fleet.rigs import python, request

from diono.kernel.errors import Conflict
from diono.sandbox.engine import api, images
from diono.sandbox.errors import EngineMissing, StorageFull
from diono.sandbox.fleet import Template, VolumeMount

pytestmark = pytest.mark.engine


async def test_the_weak_mode_keeps_volumes_and_says_that_it_is_weak() -> None:
    config = rigs.new_config(quota="volume", pool_size=1)
    async with rigs.running_fleet(config) as fleet:
        assert "weak" in (await fleet.health()).quota_mode
        made = await fleet.create(request(volume=VolumeMount(name="v")))
        await python(fleet, made.sandbox_id, "open('/work/kept', 'w').write('yes')")
        with pytest.raises(Conflict):
            await fleet.snapshot(made.sandbox_id)
        await fleet.pause(made.sandbox_id, keeps_memory=False)
        await fleet.connect(made.sandbox_id, 60)
        assert "yes" in await python(fleet, made.sandbox_id, "print(open('/work/kept').read())")
        await fleet.kill(made.sandbox_id)
        assert await fleet.delete_volume("owner", "v")
    assert rigs.leftovers(config) == []
    rigs.forget(config)


class Door:
    """A way to the engine that can be shut."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._server: asyncio.Server | None = None
        self._is_silent = False
        self._writers: list[asyncio.StreamWriter] = []

    async def open(self, is_silent: bool = False) -> None:
        self._is_silent = is_silent
        self._server = await asyncio.start_unix_server(self._pass, self.path)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_silent:
            self._writers.append(writer)
            return
        theirs, ours = await asyncio.open_unix_connection(api.DEFAULT_SOCKET)
        self._writers += [writer, ours]
        await asyncio.gather(_copy(reader, ours), _copy(theirs, writer))

    async def shut(self) -> None:
        assert self._server is not None
        self._server.close()
        self.path.unlink(missing_ok=True)
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()
        await asyncio.sleep(0.05)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
    writer.close()


async def test_an_engine_that_is_away_is_told_and_found_again(tmp_path: Path) -> None:
    door = Door(tmp_path / "engine.sock")
    config = rigs.new_config(docker_host=f"unix://{door.path}")
    async with rigs.running_fleet(config) as fleet:
        health = await fleet.health()
        assert not health.is_ready
        assert "start it" in health.problem
        with pytest.raises(EngineMissing):
            await fleet.create(request())
        await door.open()
        await asyncio.sleep(1.1)
        made = await fleet.create(request())
        kept = await fleet.create(request())
        await door.shut()
        # What runs is still reached, and ends; what is new is refused at once.
        assert "1" in await python(fleet, made.sandbox_id, "print(1)")
        assert await fleet.kill(made.sandbox_id)
        assert not (await fleet.health()).is_ready
        with pytest.raises(EngineMissing):
            await fleet.create(request())
        await door.open()
        assert (await fleet.health()).is_ready
        base = await fleet._ready()
        for _ in range(4):
            await base.janitor.round()
        assert len(rigs.containers(config)) == 1
        assert "1" in await python(fleet, kept.sandbox_id, "print(1)")
    assert rigs.leftovers(config) == []
    await door.shut()
    rigs.forget(config)


async def test_an_engine_that_hangs_does_not_hang_us(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "_LOOK_SECONDS", 0.5)
    door = Door(tmp_path / "engine.sock")
    await door.open(is_silent=True)
    config = rigs.new_config(docker_host=f"unix://{door.path}")
    fleet = rigs.fleet_of(config)
    started = time.monotonic()
    assert "did not answer" in (await fleet.health()).problem
    assert time.monotonic() - started < 3
    await door.shut()
    rigs.forget(config)


async def test_a_full_disk_is_told_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    config = rigs.new_config()
    async with rigs.running_fleet(config) as fleet:
        await fleet.health()
        monkeypatch.setattr(images, "RESERVE_BYTES", 1 << 60)
        with pytest.raises(StorageFull):
            await fleet.create(request())
        monkeypatch.undo()
        assert await fleet.list() == []
        await fleet.create(request())
    assert rigs.leftovers(config) == []
    rigs.forget(config)


async def test_an_image_with_volumes_of_its_own_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = rigs.new_config()
    with rigs.image_with_volume(config) as image:
        fleet = rigs.fleet_of(config)
        templates = fleet._templates
        base = await templates.find("base", "owner")

        async def find(_name: str, _owner: str) -> Template:
            return base.model_copy(update={"image": image})

        monkeypatch.setattr(templates, "find", find)
        with pytest.raises(Conflict, match="VOLUME /data"):
            await fleet.create(request())
        await fleet.close()
    assert rigs.leftovers(config) == []
    rigs.forget(config)
