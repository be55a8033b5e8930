"""The hardening profile: the exact container every sandbox runs in, and nothing looser."""

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from diono.sandbox.config import TENANT_ID
from diono.sandbox.port import Limits

_SECCOMP_FILE = Path(__file__).parent.parent / "seccomp.json"
_ARCHITECTURES = {"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}
_FILE_LIMIT_BYTES = 256 * 1024 * 1024
_SHARED_MEMORY_BYTES = 16 * 1024 * 1024
_MIB = 1024 * 1024
_TMP_OPTIONS = "rw,nosuid,nodev,noexec,size=64m,nr_inodes=4096,mode=1777"


@dataclass(frozen=True)
class Bind:
    """A folder of ours inside the container. ``follows`` lets our later mounts show through."""

    source: str
    target: str
    is_read_only: bool = True
    follows: bool = False
    is_volume: bool = False

    def body(self) -> dict[str, Any]:
        if self.is_volume:
            return {"Type": "volume", "Source": self.source, "Target": self.target}
        return {
            "Type": "bind",
            "Source": self.source,
            "Target": self.target,
            "ReadOnly": self.is_read_only,
            "BindOptions": {"Propagation": "rslave" if self.follows else "rprivate"},
        }


@lru_cache(maxsize=1)
def seccomp_text() -> str:
    """Return the filter as the engine wants it: the JSON text, for this machine's architecture."""
    profile = json.loads(_SECCOMP_FILE.read_text())
    profile["architectures"] = [_ARCHITECTURES.get(platform.machine(), "SCMP_ARCH_X86_64")]
    return json.dumps(profile)


def resources(limits: Limits) -> dict[str, int]:
    """Return the limits that may change while the container runs. Swap is never allowed."""
    return {
        "Memory": limits.memory_mb * _MIB,
        "MemorySwap": limits.memory_mb * _MIB,
        "PidsLimit": limits.pids,
        "NanoCpus": int(limits.cpus * 1_000_000_000),
    }


@dataclass(frozen=True)
class Order:
    """What may differ from one container to the next."""

    image: str
    command: Sequence[str]
    limits: Limits
    binds: Sequence[Bind]
    labels: Mapping[str, str]
    runtime: str
    environment: Mapping[str, str]


def container_body(order: Order) -> dict[str, Any]:
    """Return the body of the engine's create call.

    The guest is process 1: it reaps orphans, the tenant cannot signal it, and its output is
    /dev/null, which the engine's own init would not give. An image's own entry point, health
    check and command never run.
    """
    return {
        "Image": order.image,
        "Entrypoint": [order.command[0]],
        "Cmd": list(order.command[1:]),
        "User": f"{TENANT_ID}:{TENANT_ID}",
        "WorkingDir": "/",
        "Env": [f"{name}={value}" for name, value in order.environment.items()],
        "Hostname": "sandbox",
        "Tty": False,
        "OpenStdin": False,
        "Healthcheck": {"Test": ["NONE"]},
        "Labels": dict(order.labels),
        "HostConfig": {
            "NetworkMode": "none",
            "CapDrop": ["ALL"],
            "Privileged": False,
            "SecurityOpt": ["no-new-privileges:true", f"seccomp={seccomp_text()}"],
            "ReadonlyRootfs": True,
            "Tmpfs": {"/tmp": _TMP_OPTIONS},  # noqa: S108 - the sandbox's own
            "ShmSize": _SHARED_MEMORY_BYTES,
            "IpcMode": "private",
            **resources(order.limits),
            "CpuShares": 256,
            "Ulimits": [
                {"Name": "nofile", "Soft": 1024, "Hard": 1024},
                {"Name": "core", "Soft": 0, "Hard": 0},
                {"Name": "fsize", "Soft": _FILE_LIMIT_BYTES, "Hard": _FILE_LIMIT_BYTES},
            ],
            "Init": False,
            "LogConfig": {"Type": "none", "Config": {}},
            "OomScoreAdj": 500,
            "AutoRemove": False,
            "RestartPolicy": {"Name": "no"},
            "Runtime": order.runtime,
            "Mounts": [bind.body() for bind in order.binds],
        },
    }
