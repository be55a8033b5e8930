"""Machines: containers with a guest in them, started, frozen, thawed, taken away. A machine
serves one sandbox at most. Names and mounts are ours."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from diono.kernel.errors import Conflict
from diono.sandbox.config import SandboxConfig
from diono.sandbox.egress.certificates import ca_bundle
from diono.sandbox.engine import apart, link, profile
from diono.sandbox.engine.api import Container, EngineApi
from diono.sandbox.engine.cgroups import ControlGroup, FreezerProblem
from diono.sandbox.engine.guest_copy import guest_command, why_no_guest
from diono.sandbox.engine.link import Dialer, GuestLost, SocketDialer
from diono.sandbox.engine.places import Place, Places
from diono.sandbox.engine.process import HostProcess
from diono.sandbox.engine.profile import Bind, Order
from diono.sandbox.engine.undivided import undivided
from diono.sandbox.errors import EngineMissing
from diono.sandbox.fleet import Egress
from diono.sandbox.guest.command import GUEST_FOLDER
from diono.sandbox.port import Limits
from diono.sandbox.shared_packages import CACHE_FOLDER, make_cache_folder

INSTANCE_LABEL = "diono.instance"
MACHINE_LABEL = "diono.machine"
WORK = "/work"
CA_FILE = "/etc/diono-ca.pem"
_RUN_DIRECTORY = "/run/diono"
_EGRESS_DIRECTORY = "/run/diono-egress"
_READY_SECONDS = 20.0
_READY_POLL_SECONDS = 0.004
_KILL_SECONDS = 5.0


@dataclass
class Machine:
    """``group`` and ``process`` are None where the container runs on another machine."""

    machine_id: str
    image: str
    limits: Limits
    place: Place
    dialer: Dialer
    runtime: str
    container_id: str = ""
    group: ControlGroup | None = None
    process: HostProcess | None = None
    is_frozen: bool = False
    is_paused_by_engine: bool = False

    @property
    def is_apart(self) -> bool:
        return self.runtime in apart.APART_RUNTIMES

    @property
    def has_ended(self) -> bool:
        return self.process is not None and self.process.exited.done()


@dataclass(frozen=True)
class Blueprint:
    """What a machine is made of. ``work`` is an engine volume's name, or empty: the slot."""

    image: str
    limits: Limits
    work: str = ""
    preimports: tuple[str, ...] = ()
    runtime: str = ""


class Machines:
    def __init__(
        self, engine: EngineApi, places: Places, egress: Egress, config: SandboxConfig, home: Path
    ) -> None:
        self._engine = engine
        self._places = places
        self._egress = egress
        self._runtime = config.runtime
        self._guest_home = home
        self.instance = ""
        self._owned: set[str] = set()
        self._checked_images: set[str] = set()
        self._packages = make_cache_folder(config)
        self._ca_copy: Path | None = None
        if config.extra_ca_file is not None:
            self._ca_copy = config.state_dir / "ca.pem"
            self._ca_copy.write_bytes(ca_bundle(config))
            self._ca_copy.chmod(0o644)

    def runtime_of(self, name: str) -> str:
        """Return the runtime a template's or a row's name stands for."""
        return name or self._runtime

    def can_be_warm(self, runtime: str) -> bool:
        """Whether a workspace can be attached to a machine of this runtime that runs already."""
        return self.runtime_of(runtime) not in apart.APART_RUNTIMES

    def owned(self) -> set[str]:
        """Return the ids of all machines this process knows, whatever their state."""
        return set(self._owned)

    def name_of(self, machine_id: str) -> str:
        return f"diono-{self.instance}-{machine_id}"

    def _binds(self, place: Place, work: str) -> Sequence[Bind]:
        slot = Bind(str(place.slot), WORK, is_read_only=False, follows=self._places.can_follow)
        binds = [
            Bind(work, WORK, is_volume=True) if work else slot,
            Bind(str(place.run), _RUN_DIRECTORY, is_read_only=False),
            Bind(str(place.egress), _EGRESS_DIRECTORY),
            Bind(str(self._guest_home), GUEST_FOLDER),
            Bind(str(self._packages), CACHE_FOLDER),
        ]
        if self._ca_copy is not None:
            binds.append(Bind(str(self._ca_copy), CA_FILE))
        return binds

    async def prepare(self, machine_id: str) -> Place:
        """Make the folders and the way out of a machine that is about to be started."""
        self._owned.add(machine_id)
        try:
            return await undivided(self._make_place(machine_id))
        except BaseException:
            self._owned.discard(machine_id)
            await asyncio.shield(self._drop_place(machine_id))
            raise

    async def _make_place(self, machine_id: str) -> Place:
        place = await asyncio.to_thread(self._places.make, machine_id)
        await self._egress.open(machine_id, place.egress_socket)
        return place

    async def _drop_place(self, machine_id: str) -> None:
        await self._egress.close(machine_id)
        await asyncio.to_thread(self._places.drop, machine_id)

    async def start(self, machine_id: str, place: Place, blueprint: Blueprint) -> Machine:
        """Start a prepared machine and wait for its guest; nothing is left of one that fails."""
        await self._check_image(blueprint.image)
        name = self.name_of(machine_id)
        preimports = ",".join(blueprint.preimports)
        machine = self._machine(machine_id, place, blueprint)
        arguments: tuple[str, ...] = ()
        if machine.is_apart:
            await asyncio.to_thread(apart.write_token, place.egress)
            arguments = apart.guest_arguments(_EGRESS_DIRECTORY)
        order = Order(
            blueprint.image,
            guest_command(*arguments),
            blueprint.limits,
            self._binds(place, blueprint.work),
            {INSTANCE_LABEL: self.instance, MACHINE_LABEL: machine_id},
            machine.runtime,
            {"DIONO_PREIMPORTS": preimports} if preimports else {},
        )
        body = profile.container_body(order)
        try:
            machine.container_id = await undivided(self._engine.create(name, body))
            await self._engine.start(name)
            self._hold(machine, await self._running(name))
            await self._wait_until_ready(machine)
        except BaseException:
            await asyncio.shield(self.remove(machine))
            raise
        return machine

    def _machine(self, machine_id: str, place: Place, blueprint: Blueprint) -> Machine:
        return Machine(
            machine_id,
            blueprint.image,
            blueprint.limits,
            place,
            SocketDialer(place.run),
            self.runtime_of(blueprint.runtime),
        )

    async def _check_image(self, image: str) -> None:
        """An image's own volumes would be writable, without any limit, on our disk."""
        if image in self._checked_images:
            return
        volumes = await self._engine.image_volumes(image)
        if volumes is None:
            raise EngineMissing(f"the image {image} is not on this machine; run: ./diono doctor")
        if volumes:
            raise Conflict(f"the template's image declares VOLUME {volumes[0]}; remove that line")
        self._checked_images.add(image)

    async def _running(self, name: str) -> Container:
        seen = await self._engine.look(name)
        if seen is None or not seen.is_running:
            raise EngineMissing(why_no_guest(seen))
        return seen

    def _hold(self, machine: Machine, seen: Container) -> None:
        machine.container_id = seen.container_id
        machine.group = ControlGroup.of_process(seen.pid, seen.container_id)
        machine.process = HostProcess.of(seen.pid, seen.container_id)
        if machine.is_apart:
            try:
                machine.dialer = apart.dialer_of(machine.process, machine.place.egress)
            except GuestLost as error:
                raise EngineMissing(str(error)) from error

    async def adopt(self, machine_id: str, blueprint: Blueprint) -> Machine | None:
        """Take over a machine an earlier process left running; None if it is not there."""
        seen = await self._engine.look(self.name_of(machine_id))
        if seen is None or not seen.is_running:
            return None
        place = self._places.of(machine_id)
        machine = self._machine(machine_id, place, blueprint)
        self._hold(machine, seen)
        is_frozen = machine.group is not None and machine.group.is_frozen
        machine.is_paused_by_engine = seen.is_paused and not is_frozen
        machine.is_frozen = seen.is_paused or is_frozen
        self._owned.add(machine_id)
        await self._egress.open(machine_id, place.egress_socket)
        return machine

    async def _wait_until_ready(self, machine: Machine) -> None:
        try:
            async with asyncio.timeout(_READY_SECONDS):
                # The only sign across the border of a container is the socket itself.
                while not await link.is_healthy(machine.dialer):
                    if machine.has_ended:
                        name = self.name_of(machine.machine_id)
                        raise EngineMissing(why_no_guest(await self._engine.look(name)))
                    await asyncio.sleep(_READY_POLL_SECONDS)
        except TimeoutError:
            raise EngineMissing("the sandbox is silent; check `docker info`") from None

    async def freeze(self, machine: Machine) -> None:
        """Hold every process; by the kernel directly, else by the engine."""
        await self._set_frozen(machine, is_frozen=True)

    async def thaw(self, machine: Machine) -> None:
        await self._set_frozen(machine, is_frozen=False)

    async def _set_frozen(self, machine: Machine, is_frozen: bool) -> None:
        if machine.is_frozen == is_frozen:
            return
        if machine.group is not None and not machine.is_paused_by_engine:
            try:
                await asyncio.to_thread(machine.group.set_frozen, is_frozen)
                machine.is_frozen = is_frozen
                return
            except FreezerProblem:
                if not is_frozen:
                    raise EngineMissing("the sandbox did not wake; kill it") from None
        await self._engine.set_paused(self.name_of(machine.machine_id), is_frozen)
        machine.is_paused_by_engine = is_frozen
        machine.is_frozen = is_frozen

    async def set_limits(self, machine: Machine, limits: Limits) -> None:
        """By the kernel directly, else by the engine, which takes ten times as long."""
        wanted = (limits.memory_mb << 20, limits.pids, limits.cpus)
        group = machine.group
        if group is None or not await asyncio.to_thread(group.set_limits, *wanted):
            name = self.name_of(machine.machine_id)
            await self._engine.update(name, profile.resources(limits))
        machine.limits = limits

    async def kill(self, machine: Machine) -> bool:
        """End every process now; True when it is certain that they are gone."""
        if machine.process is None or machine.is_paused_by_engine:
            return False
        if not machine.process.kill():
            return False
        try:
            if machine.group is not None:
                machine.group.hasten()
            await self.thaw(machine)  # a frozen process dies when it thaws
            async with asyncio.timeout(_KILL_SECONDS):
                await asyncio.shield(machine.process.exited)
        except (TimeoutError, EngineMissing):
            return False
        return True

    async def remove(self, machine: Machine) -> None:
        """Take everything of a machine away; fine if parts are gone."""
        with contextlib.suppress(EngineMissing):
            await self.kill(machine)
        await self.remove_named(machine.machine_id)
        if machine.process is not None:
            machine.process.close()

    async def remove_named(self, machine_id: str) -> None:
        """Disowned first: what cannot be removed now is an orphan for the janitor."""
        self._owned.discard(machine_id)
        await self._engine.remove(self.name_of(machine_id))
        await self._drop_place(machine_id)

    async def was_out_of_memory(self, machine: Machine) -> bool:
        with contextlib.suppress(EngineMissing):
            seen = await self._engine.look(self.name_of(machine.machine_id))
            return seen is not None and seen.is_out_of_memory
        return False
