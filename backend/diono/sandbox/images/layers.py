"""Builds the image of a user's template, layer by layer, each in a throw-away container.

Two kinds of container, never mixed: ours, with the network, on a recipe's own image, which only
installs packages by name (Debian's, Python wheels, npm without scripts), so nothing of the caller
runs there; and the caller's, hardened like a sandbox and without any network, as the tenant or as
a root with no more than the rights over files of its own image. Synchronous.
"""

import contextlib
import hashlib
import json
import shlex
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container
from docker.types import LogConfig, Mount, Ulimit

from diono.kernel.errors import DionoError, ErrorKind
from diono.sandbox.config import TENANT_ID, SandboxConfig
from diono.sandbox.engine.profile import seccomp_text
from diono.sandbox.engine_api import api_of
from diono.sandbox.images.building import (
    BUILD_LABEL,
    CA_IN_BUILD,
    IMAGE_CHANGES,
    engine_client,
    find_image,
    pip_arguments,
    read_only,
)
from diono.sandbox.images.steps import Action, Manager, Plan

_OWN_LABEL = "diono.layer"
_SCRIPTS = Path(__file__).parent / "scripts"
_FILES_IN_BUILD = "/run/diono-files.tar"
_ROOT_RIGHTS = ("CHOWN", "DAC_OVERRIDE", "FOWNER")
_STEP_SECONDS = 600.0
_WATCH_SECONDS = 0.1
_MEASURE_SECONDS = 1.5
_LAYER_BYTES = 2 * 1024**3
_LINE_LIMIT = 2000
_LINES_LIMIT = 5000
_SMALL_FILE_BYTES = 256 * 1024 * 1024

Say = Callable[[str, str], None]
"""Takes the step's number (or ``base``, ``finalize``) and a line."""


class BuildFailed(DionoError):
    """A step ended badly; ``step`` is its number, ``base`` or ``finalize``."""

    code = "build_failed"
    kind = ErrorKind.INVALID

    def __init__(self, detail: str, step: str) -> None:
        super().__init__(detail)
        self.step = step


def installation_of(config: SandboxConfig) -> str:
    """Return what tells this installation's images from another's on the same engine."""
    return hashlib.sha256(str(config.state_dir.resolve()).encode()).hexdigest()[:8]


def layer_repository(config: SandboxConfig) -> str:
    return f"diono/layer-{installation_of(config)}"


def template_repository(config: SandboxConfig) -> str:
    return f"diono/template-{installation_of(config)}"


@dataclass(frozen=True)
class _Work:
    """One container's work: what runs, as whom, with which files."""

    step: str
    argv: tuple[str, ...]
    user: str
    mounts: tuple[Mount, ...] = ()
    is_ours: bool = False


class LayerBuilder:
    """``files`` gives the path of an uploaded archive by its digest."""

    def __init__(self, config: SandboxConfig, files: Callable[[str], Path], say: Say) -> None:
        self._config = config
        self._files = files
        self._say = say

    def build(self, base: str, plan: Plan, target: str, is_forced: bool) -> None:
        """Build on the image ``base`` and tag the result. Raises BuildFailed, EngineMissing."""
        with engine_client(self._config) as client:
            image = base
            if plan.has_packages:
                image = self._layer(client, image, _install(plan, self._config), is_forced)
            for action in plan.actions:
                is_forced = is_forced or action.is_forced
                image = self._layer(client, image, self._work(action), is_forced)
            image = self._layer(client, image, _FINALIZE, is_forced)
            repository, _, version = target.partition(":")
            client.images.get(image).tag(repository, version)

    def sweep(self) -> None:
        """Take away containers that a former life of this service left in the middle."""
        with engine_client(self._config) as client:
            mine = f"{_OWN_LABEL}={installation_of(self._config)}"
            for container in client.containers.list(all=True, filters={"label": mine}):
                with contextlib.suppress(NotFound):
                    container.remove(force=True)

    def _work(self, action: Action) -> _Work:
        step, user = str(action.number), "0:0" if action.is_root else f"{TENANT_ID}:{TENANT_ID}"
        if not action.files_hash:
            return _Work(step, _command(action), user)
        owner = "0" if action.is_root else str(TENANT_ID)
        script = (_SCRIPTS / "copy.py").read_text(encoding="utf-8")
        arguments = (_FILES_IN_BUILD, action.source, action.target, owner, action.mode)
        archive = read_only(_FILES_IN_BUILD, self._files(action.files_hash))
        argv = ("python3", "-I", "-c", script, *arguments)
        return _Work(step, argv, "0:0", (archive,))

    def _layer(self, client: docker.DockerClient, parent: str, work: _Work, is_forced: bool) -> str:
        """Return the tag of the image after this work; the one made before, if it is the same."""
        parent_id = client.images.get(parent).id
        content = json.dumps([parent_id, work.argv, work.user, [dict(m) for m in work.mounts]])
        tag = (
            f"{layer_repository(self._config)}:{hashlib.sha256(content.encode()).hexdigest()[:16]}"
        )
        if not is_forced and find_image(client, tag) is not None:
            self._say(work.step, "unchanged since the last build")
            return tag
        container = self._create(client, parent, work, tag)
        try:
            _Watch(container, work, self._say).run()
            repository, _, version = tag.partition(":")
            api_of(client).commit(container.id or "", repository, version, changes=IMAGE_CHANGES)
        finally:
            with contextlib.suppress(NotFound):
                container.remove(force=True)
        return tag

    def _create(self, client: docker.DockerClient, image: str, work: _Work, tag: str) -> Container:
        mounts = list(work.mounts)
        options: dict[str, Any] = {}
        if not work.is_ours:
            options = _hardened(is_root=work.user == "0:0")
        elif self._config.extra_ca_file is not None:
            mounts.append(read_only(CA_IN_BUILD, self._config.extra_ca_file))
        return client.containers.create(
            image,
            list(work.argv),
            user=work.user,
            mounts=mounts,
            working_dir="/",
            use_config_proxy=False,
            cpu_shares=128,
            mem_limit="2g",
            memswap_limit="2g",
            pids_limit=512,
            log_config=LogConfig(type="json-file", config={"max-size": "2m", "max-file": "1"}),
            labels={BUILD_LABEL: tag, _OWN_LABEL: installation_of(self._config)},
            **options,
        )


class _Watch:
    """Runs a container to its end: says what it prints, and stops it at its limits."""

    def __init__(self, container: Container, work: _Work, say: Say) -> None:
        self._container = container
        self._work = work
        self._say = say
        self._last_line = ""
        self._line_count = 0

    def run(self) -> None:
        self._container.start()
        reader = threading.Thread(target=self._read, daemon=True)
        reader.start()
        problem = self._await_end()
        reader.join(timeout=10)
        if problem:
            raise BuildFailed(problem, self._work.step)
        self._container.reload()
        state: dict[str, Any] = self._container.attrs["State"]
        if state["OOMKilled"]:
            raise BuildFailed("the step used up its memory (2 GB)", self._work.step)
        if int(state["ExitCode"]) != 0:
            hint = f": {self._last_line}" if self._last_line else ""
            raise BuildFailed(f"the step ended with {state['ExitCode']}{hint}", self._work.step)

    def _await_end(self) -> str:
        """Return why it was stopped; empty if it ended by itself."""
        ends_at = time.monotonic() + _STEP_SECONDS
        measure_at = time.monotonic() + _MEASURE_SECONDS
        while True:
            self._container.reload()
            if self._container.status not in {"running", "created"}:
                return ""
            problem = ""
            if time.monotonic() > ends_at:
                problem = f"the step took longer than {_STEP_SECONDS:.0f} s"
            elif time.monotonic() > measure_at:
                measure_at = time.monotonic() + _MEASURE_SECONDS
                if self._size() > _LAYER_BYTES:
                    problem = f"the step wrote more than {_LAYER_BYTES // 1024**3} GB"
            if problem:
                with contextlib.suppress(APIError):
                    self._container.kill()
                return problem
            time.sleep(_WATCH_SECONDS)

    def _size(self) -> int:
        client = self._container.client
        if client is None:
            return 0
        found = api_of(client).containers(
            all=True, size=True, filters={"id": self._container.id or ""}
        )
        return int(found[0].get("SizeRw", 0)) if found else 0

    def _read(self) -> None:
        rest = ""
        with contextlib.suppress(APIError, NotFound):
            for chunk in self._container.logs(stream=True, follow=True):
                *lines, rest = (rest + chunk.decode("utf-8", "replace")).split("\n")
                for line in lines:
                    self._line(line)
                rest = rest[-_LINE_LIMIT:]
        self._line(rest)

    def _line(self, line: str) -> None:
        self._line_count += 1
        if self._line_count > _LINES_LIMIT:
            self._last_line = line[-_LINE_LIMIT:].strip() or self._last_line
            return
        last = line.rstrip("\r").rpartition("\r")[2][:_LINE_LIMIT]
        text = "".join(each for each in last if each.isprintable() or each == "\t")
        if text.strip():
            self._last_line = text.strip()
            self._say(self._work.step, text)


def _hardened(is_root: bool) -> dict[str, Any]:
    return {
        "network_mode": "none",
        "cap_drop": ["ALL"],
        "cap_add": list(_ROOT_RIGHTS) if is_root else [],
        "security_opt": ["no-new-privileges:true", f"seccomp={seccomp_text()}"],
        "ipc_mode": "private",
        "shm_size": "16m",
        "nano_cpus": 1_000_000_000,
        "ulimits": [
            Ulimit(name="nofile", soft=4096, hard=4096),
            Ulimit(name="core", soft=0, hard=0),
            Ulimit(name="fsize", soft=_SMALL_FILE_BYTES, hard=_SMALL_FILE_BYTES),
        ],
        "init": True,
        "oom_score_adj": 500,
    }


def _command(action: Action) -> tuple[str, ...]:
    home = "/root" if action.is_root else "/home/user"
    variables = {"HOME": home, **dict(action.env)}
    pairs = [f"{name}={value}" for name, value in variables.items()]
    program = 'cd -- "$0" && eval "$1"'
    return ("env", *pairs, "bash", "-l", "-c", program, action.cwd, action.command)


def _install(plan: Plan, config: SandboxConfig) -> _Work:
    """Return our own step that installs all packages of a build."""
    lists = [" ".join(shlex.quote(name) for name in plan.packages[each]) for each in Manager]
    script = (_SCRIPTS / "install.sh").read_text(encoding="utf-8")
    argv: Sequence[str] = ("sh", "-c", script, "install", *lists, pip_arguments(config))
    return _Work("base", tuple(argv), "0:0", is_ours=True)


_FINALIZE = _Work(
    "finalize", ("sh", "-c", (_SCRIPTS / "finalize.sh").read_text(encoding="utf-8")), "0:0"
)
