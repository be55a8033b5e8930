"""`diono sandboxd`: the sandbox service as a process of its own, for the API on another account,
container or host."""

import argparse
import os
import sys

from diono.cli.outcome import Exit
from diono.settings import Settings

_MODULE = "diono.sandboxd"


def run(arguments: argparse.Namespace) -> int:
    """Become the service; its settings go over as arguments, and our secrets do not go at all."""
    argv = [sys.executable, "-P", "-m", _MODULE, *service_arguments(Settings(), arguments)]
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    environment = {"PATH": path, "LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "1"}
    os.execve(sys.executable, argv, environment)  # noqa: S606
    return Exit.FAILED


def service_arguments(settings: Settings, arguments: argparse.Namespace) -> list[str]:
    """Return the service's own options: what was typed, else the settings."""

    def chosen(name: str, fallback: object) -> str:
        typed = getattr(arguments, name)
        return str(fallback if typed is None else typed)

    data_dir = (arguments.data_dir or settings.data_dir).resolve()
    options = {
        "--state-dir": str(data_dir / "sandbox"),
        "--listen": chosen("listen", settings.sandbox_listen),
        "--domain": chosen("domain", settings.sandbox_domain),
        "--docker-host": chosen("docker_host", settings.docker_host),
        "--runtime": chosen("runtime", settings.sandbox_runtime),
        "--quota": settings.sandbox_quota,
        "--owner-quota": chosen("owner_quota", settings.sandbox_owner_quota),
        "--total-quota": chosen("total_quota", settings.sandbox_total_quota),
        "--queue-seconds": f"{settings.sandbox_queue_seconds:g}",
        "--pool-size": chosen("pool_size", settings.sandbox_pool_size),
        "--extra-ca-file": str(settings.extra_ca_file or ""),
    }
    flat = [part for name, value in options.items() if value for part in (name, value)]
    for host in settings.sandbox_registries:
        flat += ["--registry", host]
    return flat
