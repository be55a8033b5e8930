"""The real service process for tests, over the real engine, with a key of a tenant's."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from diono.sandbox.config import SandboxConfig
from diono.sandbox.server.arguments import to_arguments

BACKEND = Path(__file__).resolve().parents[3] / "backend"
DESCRIPTION = "DIONO_TEST_E2B_SERVICE"
OWNER = "tenant"


@dataclass(frozen=True)
class Service:
    """``host`` is HOST:PORT of the TCP door; ``key`` is a tenant's, ``admin_key`` ours."""

    host: str
    key: str
    admin_key: str
    state_dir: str

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    @property
    def domain(self) -> str:
        return f"sandboxes.test:{self.host.rpartition(':')[2]}"

    def client(self, key: str | None = None) -> httpx.Client:
        headers = {"X-API-KEY": self.key if key is None else key}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def issue(url: str, admin_key: str, owner: str = OWNER, **fields: object) -> dict[str, str]:
    with httpx.Client(base_url=url, headers={"X-API-KEY": admin_key}, trust_env=False) as client:
        reply = client.post("/diono/keys", json={"owner": owner, **fields})
    assert reply.status_code == 201, reply.text
    return reply.json()


@contextmanager
def running_service() -> Generator[Service]:
    """Start it in a state folder of its own; everything is gone at the end."""
    state_dir = Path(tempfile.mkdtemp(prefix="diono-e2b-"))
    port = free_port()
    ca_file = os.environ.get("SSL_CERT_FILE")
    config = SandboxConfig(
        state_dir=state_dir,
        extra_ca_file=Path(ca_file) if ca_file else None,
        owner_quota=20,
        total_quota=24,
        queue_seconds=10,
        listen=f"127.0.0.1:{port}",
        domain=f"sandboxes.test:{port}",
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "diono.sandbox.server.process", *to_arguments(config)],
        cwd=BACKEND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"ready\n"
        admin_key = config.admin_key_file.read_text()
        host = f"127.0.0.1:{port}"
        key = issue(f"http://{host}", admin_key)["key"]
        yield Service(host, key, admin_key, str(state_dir))
    finally:
        process.stdin.close()
        process.wait(timeout=60)
        process.stdout.close()
        shutil.rmtree(state_dir, ignore_errors=True)


def describe(service: Service) -> dict[str, str]:
    """The environment by which a test process of another SDK version finds the service."""
    return {DESCRIPTION: json.dumps(asdict(service))}


def described() -> Service | None:
    text = os.environ.get(DESCRIPTION)
    return Service(**json.loads(text)) if text else None
