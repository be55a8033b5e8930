"""The install step: wheels from a package index, in a container of its own that has a network.

Only our image's pip runs there, on names that were checked, and wheels run no code when they are
installed; so nothing of the tenant's ever executes next to a network.
"""

from collections.abc import Sequence

from docker.types import Mount

from diono.kernel.ids import new_id
from diono.sandbox.adapters import execution
from diono.sandbox.adapters.guest_client import GuestLost
from diono.sandbox.adapters.machines import CA_FILE, Machines, MachineSpec
from diono.sandbox.config import SandboxConfig
from diono.sandbox.port import ExecRequest, ExecResult, ExitReason, Limits

_LIMITS = Limits(memory_mb=768, pids=64)
_PIP = (
    *("python3", "-I", "-m", "pip", "--isolated", "install", "--no-input", "--no-cache-dir"),
    *("--only-binary", ":all:", "--target", "/work/.packages", "--upgrade", "--no-compile"),
    *("--disable-pip-version-check", "--progress-bar", "off", "--timeout", "20", "--retries", "1"),
)


def _arguments(config: SandboxConfig, packages: Sequence[str]) -> tuple[str, ...]:
    options: list[str] = []
    if config.extra_ca_file is not None:
        options += ["--cert", CA_FILE]
    if config.pip_index_url:
        options += ["--index-url", config.pip_index_url]
    return (*_PIP, *options, "--", *packages)


async def install(
    machines: Machines,
    config: SandboxConfig,
    workspace: Mount,
    packages: Sequence[str],
    timeout_seconds: float,
) -> ExecResult:
    """Install checked ``packages`` into the workspace; without a network: a failed result."""
    machine_id = new_id("ins")
    directory = await machines.start(
        MachineSpec(machine_id, workspace, _LIMITS, {"diono.step": "install"}, has_network=True)
    )
    certificates = {"SSL_CERT_FILE": CA_FILE} if config.extra_ca_file is not None else {}
    request = ExecRequest(
        argv=_arguments(config, packages),
        env={"PYTHONPATH": "", **certificates},
        timeout_seconds=timeout_seconds,
    )
    try:
        return (await execution.run(directory, request)).result
    except GuestLost:
        is_memory = await machines.was_out_of_memory(machine_id)
        reason = ExitReason.MEMORY if is_memory else ExitReason.LOST
        return execution.without_output(reason, timeout_seconds)
    finally:
        await machines.stop(machine_id)
