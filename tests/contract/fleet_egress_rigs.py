"""A real fleet behind the egress proxy, and a way to run programs in its sandboxes."""

import asyncio
import base64
import json
import os
import shutil
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from contract.egress_rigs import Outside

from diono.sandbox.config import SandboxConfig
from diono.sandbox.egress.proxy import EgressProxy
from diono.sandbox.engine.fleet import DockerFleet
from diono.sandbox.fleet import ENVD_PORT, CreateRequest, SandboxInfo
from diono.sandbox.images.store import TemplateStore
from diono.sandbox.port import Limits, NetworkPolicy

SMALL = Limits(memory_mb=256, disk_mb=64, pids=128)


def config_for(state_dir: Path) -> SandboxConfig:
    ca_file = os.environ.get("SSL_CERT_FILE")
    return SandboxConfig(
        state_dir=state_dir,
        extra_ca_file=Path(ca_file) if ca_file else None,
        pool_size=0,
    )


@dataclass
class FleetRig:
    config: SandboxConfig
    fleet: DockerFleet
    proxy: EgressProxy
    outside: Outside
    templates: TemplateStore

    async def create(self, policy: NetworkPolicy, template: str = "base") -> SandboxInfo:
        request = CreateRequest(owner="owner", limits=SMALL, network=policy, template=template)
        return await self.fleet.create(request)

    async def run(
        self,
        info: SandboxInfo,
        *argv: str,
        env: Mapping[str, str] | None = None,
        cwd: str = "/work",
    ) -> tuple[int, str]:
        """Run a program to its end; return its exit code and all it printed."""
        process = {"cmd": argv[0], "args": list(argv[1:]), "envs": dict(env or {}), "cwd": cwd}
        message = json.dumps({"process": process, "stdin": False}).encode()
        body = b"\0" + len(message).to_bytes(4, "big") + message
        head = (
            "POST /process.Process/Start HTTP/1.1\r\nHost: guest\r\nConnection: close\r\n"
            "Content-Type: application/connect+json\r\nConnect-Protocol-Version: 1\r\n"
            f"X-Access-Token: {info.access_token}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        reader, writer = await self.fleet.dial(info.sandbox_id, ENVD_PORT)
        try:
            writer.write(head.encode() + body)
            async with asyncio.timeout(90):
                return _outcome(await reader.read())
        finally:
            writer.close()

    async def python(self, info: SandboxInfo, code: str) -> tuple[int, str]:
        return await self.run(info, "python3", "-c", code)


def _outcome(answer: bytes) -> tuple[int, str]:
    head, _, rest = answer.partition(b"\r\n\r\n")
    assert b" 200 " in head.split(b"\r\n")[0], answer[:500]
    body = _dechunked(rest) if b"chunked" in head.lower() else rest
    code, texts = -1, list[bytes]()
    while len(body) >= 5:
        size = int.from_bytes(body[1:5], "big")
        message, body = json.loads(body[5 : 5 + size]), body[5 + size :]
        event = message.get("event", {})
        texts += [base64.b64decode(text) for text in event.get("data", {}).values()]
        code = event["end"].get("exitCode", 0) if "end" in event else code
    return code, b"".join(texts).decode()


def _dechunked(text: bytes) -> bytes:
    parts: list[bytes] = []
    while text:
        line, _, text = text.partition(b"\r\n")
        size = int(line, 16)
        parts.append(text[:size])
        text = text[size + 2 :]
    return b"".join(parts)


@asynccontextmanager
async def fleet_rig(is_real: bool = False) -> AsyncGenerator[FleetRig]:
    """``is_real``: names resolve and connections go where the host's do, templates are all."""
    outside = Outside()
    config = config_for(Path(tempfile.mkdtemp(prefix="diono-test-")))
    proxy = (
        EgressProxy(config)
        if is_real
        else EgressProxy(config, resolve=outside.resolve, connect=outside.connect)
    )
    templates = TemplateStore(config)
    fleet = DockerFleet(config, templates, proxy)
    try:
        yield FleetRig(config, fleet, proxy, outside, templates)
    finally:
        await templates.close()
        await fleet.close()
        await proxy.close_all()
        shutil.rmtree(config.state_dir, ignore_errors=True)
