"""What `diono doctor` finds out about sandboxes: how strong the walls of this machine are."""

import asyncio
import os
import re
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from diono.cli.checkup import Finding
from diono.cli.outcome import ServerProblem
from diono.cli.sandbox_api import open_sandbox_api
from diono.cli.server import why_not_free
from diono.cli.shapes import entries, section, words
from diono.cli.text import one_line
from diono.kernel.errors import DionoError
from diono.settings import Settings
from diono.setup.engine_probe import ask

# runc before these lets a container write to the host's /proc (CVE-2025-31133, -52565, -52881).
_RUNC_FLOORS = ((1, 2, 8), (1, 3, 3))
_TRY_SECONDS = 20.0
_REGISTRY_SECONDS = 4.0
_CGROUPS = Path("/sys/fs/cgroup")


def runtime(settings: Settings) -> Finding:
    """The runtime that is chosen, and whether its version has known holes."""
    chosen = settings.sandbox_runtime
    known = _runtimes(settings)
    if known is None:
        detail = "unknown: the engine does not answer"
        return Finding("runtime", is_ok=False, detail=detail, is_needed=False)
    if chosen not in known:
        fix = f"register it with the engine (daemon.json), or set one of: {', '.join(known)}"
        return Finding("runtime", is_ok=False, detail=f"{chosen} is not registered", fix=fix)
    version = runc_version(settings) if chosen == "runc" else ""
    detail = f"{chosen} {version}".strip()
    if chosen == "runc" and not is_patched(version):
        fix = "upgrade runc to 1.2.8, 1.3.3 or newer (your Docker package, or containerd.io)"
        detail += ": older than the fixes of CVE-2025-31133, -52565 and -52881"
        return Finding("runtime", is_ok=False, detail=detail, fix=fix, is_needed=False)
    return Finding("runtime", is_ok=True, detail=detail, is_needed=False)


def is_patched(version: str) -> bool:
    """Whether a runc of this version has the fixes; False for one that cannot be read."""
    match = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    if match is None:
        return False
    found = (int(match[1]), int(match[2]), int(match[3]))
    for floor in _RUNC_FLOORS:
        if found[:2] == floor[:2]:
            return found >= floor
    return found > _RUNC_FLOORS[-1]


def runc_version(settings: Settings) -> str:
    """Return what the engine says of its own runc; empty if it does not say."""
    facts: Any = ask(settings.docker_host, "/version") or {}
    for component in entries(facts, "Components"):
        if component.get("Name") == "runc":
            return str(component.get("Version", ""))
    return ""


def _runtimes(settings: Settings) -> list[str] | None:
    info: Any = ask(settings.docker_host, "/info")
    return None if info is None else sorted(section(info, "Runtimes"))


def second_tier(settings: Settings) -> Finding:
    """A runtime with a kernel of its own: tried with a container, not only looked for."""
    known = _runtimes(settings) or []
    stronger = [name for name in known if "runsc" in name or "kata" in name]
    if not stronger:
        detail = "none: sandboxes share this machine's kernel"
        fix = "for hostile strangers install gVisor (runsc) and set DIONO_SANDBOX_RUNTIME=runsc"
        return Finding("tier 2", is_ok=False, detail=detail, fix=fix, is_needed=False)
    told: list[str] = []
    for name in stronger:
        problem = _try_runtime(settings, name)
        told.append(f"{name} {'works' if not problem else f'fails: {problem}'}")
    is_ok = any(text.endswith("works") for text in told)
    return Finding("tier 2", is_ok=is_ok, detail="; ".join(told), is_needed=False)


def _try_runtime(settings: Settings, name: str) -> str:
    if shutil.which("docker") is None:
        return "not tried: no docker command here"
    image = _any_image(settings)
    if not image:
        return "not tried: no sandbox image yet"
    argv = ["docker", "run", "--rm", "--network", "none", "--runtime", name]
    argv += ["--label", "diono.doctor=1", "--entrypoint", "/bin/true", image]
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=_TRY_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"silent for {_TRY_SECONDS:.0f} s"
    return "" if done.returncode == 0 else one_line(done.stderr, 120) or f"status {done.returncode}"


def _any_image(settings: Settings) -> str:
    query = quote('{"reference":["diono/base"]}')
    found = {"images": ask(settings.docker_host, f"/images/json?filters={query}")}
    for image in entries(found, "images"):
        tags = words(image, "RepoTags")
        if tags:
            return tags[0]
    return ""


def kernel(_settings: Settings) -> Finding:
    """Control groups, freezer and loop devices: what pausing and disk limits stand on."""
    version = 2 if (_CGROUPS / "cgroup.controllers").exists() else 1
    can_freeze = version == 2 or (_CGROUPS / "freezer").is_dir()
    is_root = os.geteuid() == 0
    has_loop = Path("/dev/loop-control").exists()
    freezer = "kernel" if can_freeze and is_root else "the engine's, slower"
    disks = "hard, by loop images" if has_loop and is_root else "weak: no loop devices for us"
    detail = f"cgroup v{version}, freezer: {freezer}, disk limits: {disks}"
    if has_loop and is_root:
        return Finding("walls", is_ok=True, detail=detail, is_needed=False)
    fix = "run the sandbox service as root with /dev/loop-control for hard disk limits"
    return Finding("walls", is_ok=False, detail=detail, fix=fix, is_needed=False)


async def registries(settings: Settings) -> Finding:
    """Whether package installation can work: the same hosts that the egress proxy lets through."""
    hosts = settings.sandbox_registries
    answers = await asyncio.gather(*(_reach(host, settings) for host in hosts))
    away = [f"{host}: {why}" for host, why in zip(hosts, answers, strict=True) if why]
    if not away:
        detail = f"{', '.join(hosts)} answer"
        return Finding("packages", is_ok=True, detail=detail, is_needed=False)
    fix = "check the network, SSL_CERT_FILE, or set DIONO_SANDBOX_REGISTRIES to a mirror"
    return Finding("packages", is_ok=False, detail="; ".join(away), fix=fix, is_needed=False)


async def _reach(host: str, settings: Settings) -> str:
    """Return why a host does not answer over TLS, or nothing."""
    try:
        trust = ssl.create_default_context(cafile=settings.extra_ca_file)
        async with httpx.AsyncClient(verify=trust, timeout=_REGISTRY_SECONDS) as client:
            await client.head(f"https://{host}/")
    except (httpx.HTTPError, OSError) as error:
        return one_line(f"{type(error).__name__} {error}", 100)
    return ""


async def service(settings: Settings) -> Finding:
    """The service itself, if it runs: its own word on engine, disks and images."""
    try:
        async with open_sandbox_api(settings) as api:
            health = await api.health()
    except (DionoError, httpx.HTTPError) as error:
        detail = error.detail if isinstance(error, DionoError) else str(error)
        is_down = isinstance(error, ServerProblem) and not settings.sandbox_url
        shown = "does not run now; it starts with the server" if is_down else one_line(detail, 200)
        return Finding("sandboxd", is_ok=is_down, detail=shown, is_needed=False)
    images = ", ".join(words(health, "templates")) or "none"
    detail = f"{health.get('engine')}, {health.get('quota_mode')}; images: {images}"
    if health.get("is_ready"):
        return Finding("sandboxd", is_ok=True, detail=detail, is_needed=False)
    problem = one_line(health.get("problem", ""), 300)
    return Finding("sandboxd", is_ok=False, detail=problem, fix="./diono setup", is_needed=False)


def door(settings: Settings) -> Finding:
    """The TCP door for SDKs: free, or ours already."""
    if not settings.sandbox_listen:
        detail = "closed: the unix socket only (DIONO_SANDBOX_LISTEN is empty)"
        return Finding("e2b door", is_ok=True, detail=detail, is_needed=False)
    host, _, port = settings.sandbox_listen.rpartition(":")
    url = f"http://{settings.sandbox_listen}"
    is_open = not why_not_free(host.strip("[]"), int(port))
    if is_open:
        return Finding("e2b door", is_ok=True, detail=f"{url} is free", is_needed=False)
    try:
        is_ours = httpx.get(f"{url}/health", timeout=2, trust_env=False).json() == {"ok": True}
    except (httpx.HTTPError, ValueError):
        is_ours = False
    if is_ours:
        return Finding("e2b door", is_ok=True, detail=f"open at {url}", is_needed=False)
    fix = "set DIONO_SANDBOX_LISTEN to a free address"
    detail = f"{url} is taken by another program"
    return Finding("e2b door", is_ok=False, detail=detail, fix=fix, is_needed=False)
