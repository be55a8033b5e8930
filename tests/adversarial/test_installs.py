"""Installing packages: what comes, what it costs the second time, and what stays out of reach."""

import json
import shlex
import time
from dataclasses import dataclass
from typing import Literal

import pytest
from contract.fleet_egress_rigs import FleetRig, fleet_rig

from diono.sandbox.errors import FileMissing
from diono.sandbox.fleet import SandboxInfo
from diono.sandbox.installs.cache import PackageCache
from diono.sandbox.installs.orders import FetchOrder
from diono.sandbox.installs.steps import install
from diono.sandbox.port import ExecRequest, ExecResult, ExitReason, NetworkPolicy

pytestmark = pytest.mark.engine


@dataclass
class Place:
    """A sandbox as the steps see one."""

    rig: FleetRig
    info: SandboxInfo

    async def execute(self, request: ExecRequest) -> ExecResult:
        started = time.monotonic()
        folder = f"/work/{request.cwd}"
        code, said = await self.rig.run(
            self.info, *request.argv, env=request.env, cwd=folder.removesuffix("/.")
        )
        seconds = time.monotonic() - started
        return ExecResult(
            reason=ExitReason.EXITED, exit_code=code, stdout=said, stderr="", seconds=seconds
        )

    async def read_file(self, path: str, limit_bytes: int = 1_000_000) -> bytes:
        code, said = await self.rig.run(self.info, "cat", path)
        if code != 0:
            raise FileMissing(path)
        return said.encode()

    async def write_file(self, path: str, content: bytes, mode: int = 0o644) -> None:
        line = f"printf %s {shlex.quote(content.decode())} > {path}"
        assert (await self.rig.run(self.info, "sh", "-c", line))[0] == 0


@pytest.mark.slow
@pytest.mark.parametrize("manager", ["pip", "uv"])
async def test_wheels_come_without_a_network_in_the_sandbox(manager: Literal["pip", "uv"]) -> None:
    async with fleet_rig(is_real=True) as rig:
        cache = PackageCache(rig.config, rig.templates)
        order = FetchOrder(manager=manager, packages=("itsdangerous==2.2.0", "flask"))
        first = Place(rig, await rig.create(NetworkPolicy()))
        done = await install(first, cache.fetch, order)
        assert done.is_success, done
        code, said = await rig.python(first.info, "import itsdangerous as it; print(it.__file__)")
        assert (code, said.startswith("/work/.packages/")) == (0, True)
        assert rig.proxy.log(next(iter(rig.proxy._machines))) == ()

        again = await install(Place(rig, await rig.create(NetworkPolicy())), cache.fetch, order)
        assert again.is_success
        assert (await cache.fetch(order)).was_cached

        nothing = FetchOrder(manager=manager, packages=("diono-no-such-package-0",))
        done = await install(first, cache.fetch, nothing)
        assert (done.exit_code, "diono-no-such-package-0" in done.stderr) == (1, True)
        held = FetchOrder(manager="pip", packages=("fastapi",))
        assert (await install(first, cache.fetch, held)).is_success

        line = "touch /opt/diono/cache/wheels/x; rm -f /opt/diono/cache/wheels/*.whl"
        _, said = await rig.run(first.info, "sh", "-c", line)
        assert said.count("Read-only file system") >= 2
        assert (await cache.fetch(order)).was_cached
        code, _ = await rig.run(first.info, "ls", "/opt/diono/cache/npm")
        assert code != 0


@pytest.mark.slow
async def test_modules_of_a_project_come_and_are_written_down() -> None:
    async with fleet_rig(is_real=True) as rig:
        cache = PackageCache(rig.config, rig.templates)
        place = Place(rig, await rig.create(NetworkPolicy(), "node"))
        manifest = {
            "name": "acme",
            "scripts": {"postinstall": "touch /work/ran", "dev": "vite"},
            "dependencies": {"ms": "2.1.3"},
        }
        await place.write_file("package.json", json.dumps(manifest).encode())
        done = await install(place, cache.fetch, FetchOrder(manager="npm"))
        assert done.is_success, done
        said = (await rig.run(place.info, "node", "-p", "require('ms')('2 days')"))[1]
        assert said.strip() == "172800000"
        assert (await rig.run(place.info, "test", "-e", "ran"))[0] == 1

        more = FetchOrder(manager="npm", packages=("is-odd@3.0.1",))
        assert (await install(place, cache.fetch, more)).is_success
        written = json.loads(await place.read_file("package.json"))
        assert written["dependencies"] == {"ms": "2.1.3", "is-odd": "^3.0.1"}
        assert written["scripts"]["dev"] == "vite"
        code, said = await rig.run(place.info, "node", "-p", "require('is-odd')(3)")
        assert (code, said.strip()) == (0, "true")
        again = await cache.fetch(
            FetchOrder(manager="npm", manifest={"package.json": json.dumps(manifest)})
        )
        assert again.was_cached
