"""Containers with a guest in them: started, waited for, taken away. Names and mounts are ours."""

import asyncio
import contextlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from docker.types import Mount

from diono.sandbox.adapters import guest_client, profile
from diono.sandbox.adapters.engine import INSTANCE_LABEL, Engine
from diono.sandbox.adapters.guest_client import GuestLost
from diono.sandbox.adapters.volumes import Volumes
from diono.sandbox.config import SandboxConfig
from diono.sandbox.errors import EngineMissing, SandboxGone
from diono.sandbox.image import GUEST_COMMAND, image_tag
from diono.sandbox.port import Limits

CA_FILE = "/etc/diono-ca.pem"
_RUN_DIRECTORY = "/run/diono"
_READY_SECONDS = 15.0
_READY_POLL_SECONDS = 0.005


@dataclass(frozen=True)
class MachineSpec:
    """``machine_id`` is made by us; ``has_network`` is for the install step only."""

    machine_id: str
    workspace: Mount
    limits: Limits
    labels: Mapping[str, str]
    has_network: bool = False


class Machines:
    def __init__(
        self, engine: Engine, volumes: Volumes, config: SandboxConfig, instance: str
    ) -> None:
        self._engine = engine
        self._volumes = volumes
        self._config = config
        self._instance = instance
        self._ca_copy: Path | None = None
        if config.extra_ca_file is not None:
            self._ca_copy = config.state_dir / "ca.pem"
            shutil.copyfile(config.extra_ca_file, self._ca_copy)
            self._ca_copy.chmod(0o644)

    def container_name(self, machine_id: str) -> str:
        return f"diono-{self._instance}-{machine_id}"

    async def start(self, spec: MachineSpec) -> Path:
        """Start a container and wait until its guest listens; return the socket's folder."""
        directory = await asyncio.to_thread(self._volumes.make_run_directory, spec.machine_id)
        mounts = [spec.workspace, Mount(_RUN_DIRECTORY, str(directory), type="bind")]
        if spec.has_network and self._ca_copy is not None:
            mounts.append(Mount(CA_FILE, str(self._ca_copy), type="bind", read_only=True))
        labels = {**spec.labels, INSTANCE_LABEL: self._instance}
        options = profile.container_options(
            spec.limits,
            mounts,
            labels,
            self._config.runtime,
            network="bridge" if spec.has_network else "none",
        )
        name = self.container_name(spec.machine_id)
        try:
            await self._engine.start(
                image_tag(self._config), GUEST_COMMAND, {**options, "name": name}
            )
            await self._wait_until_ready(name, directory)
        except BaseException:
            await asyncio.shield(self.stop(spec.machine_id))
            raise
        return directory

    async def _wait_until_ready(self, name: str, directory: Path) -> None:
        try:
            async with asyncio.timeout(_READY_SECONDS):
                # The only sign across the border of a container is the socket itself.
                while not await self._answers(directory):  # noqa: ASYNC110
                    await asyncio.sleep(_READY_POLL_SECONDS)
        except TimeoutError:
            state = await self._engine.state(name)
            what = "is silent" if state.is_running else "ended at once"
            raise EngineMissing(
                f"the sandbox {what}; check `docker info` and rebuild the image: ./diono doctor"
            ) from None

    async def _answers(self, directory: Path) -> bool:
        with contextlib.suppress(GuestLost, SandboxGone, FileNotFoundError):
            await guest_client.call(directory, {"op": "ping"}, timeout_seconds=2.0)
            return True
        return False

    async def was_out_of_memory(self, machine_id: str) -> bool:
        with contextlib.suppress(EngineMissing):
            return (await self._engine.state(self.container_name(machine_id))).is_out_of_memory
        return False

    async def stop(self, machine_id: str) -> None:
        """Remove the container and the socket's folder; fine if they are gone."""
        try:
            await self._engine.remove(self.container_name(machine_id))
        finally:
            await asyncio.to_thread(self._volumes.drop_run_directory, machine_id)
