"""The hardening profile: the exact container every sandbox runs in, and nothing looser."""

import json
import platform
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from docker.types import LogConfig, Mount, Ulimit

from diono.sandbox.config import TENANT_ID
from diono.sandbox.port import Limits

_SECCOMP_FILE = Path(__file__).parent.parent / "seccomp.json"
_ARCHITECTURES = {"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}
_FILE_LIMIT_BYTES = 256 * 1024 * 1024


@lru_cache(maxsize=1)
def seccomp_text() -> str:
    """Return the filter as the engine wants it: the JSON text, for this machine's architecture."""
    profile = json.loads(_SECCOMP_FILE.read_text())
    profile["architectures"] = [_ARCHITECTURES.get(platform.machine(), "SCMP_ARCH_X86_64")]
    return json.dumps(profile)


def container_options(
    limits: Limits,
    mounts: list[Mount],
    labels: Mapping[str, str],
    runtime: str,
    network: str = "none",
) -> dict[str, Any]:
    """Return the arguments of ``containers.create`` for a sandbox.

    The guest is process 1: it reaps orphans, the tenant cannot signal it, and its output is
    /dev/null, which the engine's own init would not give.
    """
    memory = f"{limits.memory_mb}m"
    return {
        "network_mode": network,
        "user": f"{TENANT_ID}:{TENANT_ID}",
        "cap_drop": ["ALL"],
        "privileged": False,
        "security_opt": ["no-new-privileges:true", f"seccomp={seccomp_text()}"],
        "read_only": True,
        "tmpfs": {"/tmp": "rw,nosuid,nodev,noexec,size=64m,nr_inodes=4096,mode=1777"},  # noqa: S108
        "shm_size": "16m",
        "ipc_mode": "private",
        "mem_limit": memory,
        "memswap_limit": memory,
        "pids_limit": limits.pids,
        "nano_cpus": int(limits.cpus * 1_000_000_000),
        "cpu_shares": 256,
        "ulimits": [
            Ulimit(name="nofile", soft=1024, hard=1024),
            Ulimit(name="core", soft=0, hard=0),
            Ulimit(name="fsize", soft=_FILE_LIMIT_BYTES, hard=_FILE_LIMIT_BYTES),
        ],
        "init": False,
        "log_config": LogConfig(type="none"),
        "oom_score_adj": 500,
        "use_config_proxy": False,
        "auto_remove": False,
        "stdin_open": False,
        "tty": False,
        "runtime": runtime,
        "mounts": mounts,
        "labels": dict(labels),
        "hostname": "sandbox",
        "working_dir": "/",
        "environment": {},
    }
