"""L07: secrets of each kind enter one application by its public doors and are used; then they are
searched for in its logs, files, database, prompts and in what every GET route answers."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from adversarial.injection.world import Listener
from contract.drives_fake.rigs import providers_to, running_drives
from contract.drives_fake.server import FakeDrives
from fastapi import FastAPI
from integration.providers.conftest import PASSWORD, signed_in
from loguru import logger

from diono.furnishing.drives import DriveParts, open_drives
from diono.infra.logging import configure_logging
from diono.infra.redaction import SECRETS
from diono.main import create_app
from diono.settings import Settings

__all__ = ["running_drives"]

pytestmark = pytest.mark.asyncio(loop_scope="module")

# No shape gives them away: they are hidden because they are known.
ENTERED = {
    "provider key": "canary provider 51d0 a7",
    "SMTP password": "canary-smtp-9b1f20c4",
    "OIDC client secret": "canary.oidc.77aa01",
    "S3 secret key": "canary+s3/4410feedbeef0099",
    "drive app password": "canary-drive-0c9e7d",
    "drive client secret": "canary-client-3f1b88",
    "account password": PASSWORD,
}
ENDLESS = ("/stream", "/events")


@dataclass
class Searched:
    """What was heard, and the secrets that were made or entered, by their kind."""

    folder: Path
    secrets: dict[str, str]
    answers: list[str] = field(default_factory=list[str])
    logs: list[str] = field(default_factory=list[str])
    sent: list[str] = field(default_factory=list[str])
    routes: int = 0

    async def hear(self, reply: httpx.Response) -> None:
        await reply.aread()
        self.answers.append(f"{reply.headers}\n{reply.text}")


@pytest.fixture(scope="module")
def environment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIACANARY")
        patch.setenv("AWS_SECRET_ACCESS_KEY", ENTERED["S3 secret key"])
        yield


def _settings(folder: Path, port: int) -> Settings:
    off = dict.fromkeys(("sign_in", "api", "address", "tasks", "uploads", "sharing"), "off")
    script = folder / "script.yaml"
    script.write_text(json.dumps([{"reply": "A story."}]))
    values: dict[str, Any] = {
        "data_dir": folder / "data", "ollama_host": "off", "outbound_allow": ["localhost"],
        "model_fit": "off", "docker_host": f"unix://{folder}/no-engine", "rate_limits": off,
        "script": script, "log_level": "TRACE", "public_url": "http://testserver",
        "smtp_url": f"smtp://mailer:{ENTERED['SMTP password']}@127.0.0.1:1",
        "mail_from": "diono@example.org", "oidc_issuer": f"http://localhost:{port}/oidc",
        "oidc_client_id": "diono", "oidc_client_secret": ENTERED["OIDC client secret"],
        "s3_url": f"s3://bucket?endpoint=http://127.0.0.1:{port}",
    }  # fmt: skip
    return Settings(**values)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def searched(
    tmp_path_factory: pytest.TempPathFactory, running_drives: FakeDrives, environment: None
) -> AsyncIterator[Searched]:
    folder = tmp_path_factory.mktemp("canaries")
    found = Searched(folder, dict(ENTERED))
    async with Listener().open() as listener:
        app = create_app(_settings(folder, listener.port))
        async with app.router.lifespan_context(app):
            configure_logging("TRACE")
            # What is written is what the server's own log hides nothing more of.
            sink = logger.add(lambda line: found.logs.append(SECRETS.hide(str(line))), level=0)
            keeper = await _led_to(app, running_drives, folder)
            await _used(app, found, f"http://localhost:{listener.port}", running_drives)
            await keeper.close()
            logger.remove(sink)
        found.sent = listener.visits
    yield found


async def _led_to(app: FastAPI, drives: FakeDrives, folder: Path) -> Any:
    """Let drives be found at the made-up provider."""
    await app.state.drive_keeper.close()
    state = app.state
    parts = DriveParts(
        database=state.documents._store.database, files=state.files, sealer=state.sealer,
        providers=providers_to(drives), spool_dir=folder / "data" / "run" / "spool",
        public_url="http://testserver",
    )  # fmt: skip
    state.drives, keeper = open_drives(parts)
    return keeper


async def _used(app: FastAPI, found: Searched, url: str, drives: FakeDrives) -> None:
    user, boss = await signed_in(app, "user"), await signed_in(app, "boss", is_admin=True)
    secrets = found.secrets
    # What a secret is shown in once, to whom it belongs, is not listened to.
    form = {"username": "user", "password": PASSWORD}
    tokens = (await user.post("/api/auth/token", data=form)).json()
    secrets |= {"refresh token": tokens["refresh_token"], "access token": tokens["access_token"]}
    secrets["API key"] = (await user.post("/api/keys", json={"name": "k"})).json()["key"]
    project = (await user.post("/api/projects", json={"name": "P"})).json()["project_id"]
    of_project = f"/api/projects/{project}"
    hook = (await user.post(f"{of_project}/webhooks", json={"name": "H", "url": url})).json()
    secrets["webhook secret"] = hook["secret"]
    for client in (user, boss):
        client.event_hooks["response"].append(found.hear)

    for name, kind in (("own", "openai-compatible"), ("other", "anthropic")):
        provider = {"name": name, "kind": kind, "base_url": f"{url}/v1"}
        made = await user.post("/api/providers", json={**provider, "key": secrets["provider key"]})
        assert made.status_code == 201, made.text
        chosen = f"/api/providers/{made.json()['provider_id']}"
        # What answers there is no model server: that is told, and no more.
        tried = await user.post(f"{chosen}/test", json={"model": "m"})
        assert (tried.status_code, tried.json()["is_ok"]) == (200, False), tried.text
    client = {"client_id": "c", "client_secret": secrets["drive client secret"]}
    put = await boss.put("/api/drives/google/client", json=client)
    assert put.status_code == 204, put.text
    drives.clouds["webdav"].passwords["me"] = secrets["drive app password"]
    body = {"mode": "password", "address": drives.url, "username": "me",
            "password": secrets["drive app password"]}  # fmt: skip
    linked = await user.post("/api/drives/webdav/connect", json=body)
    assert linked.status_code == 200, linked.text
    link = linked.json()["link"]["link_id"]
    await user.post(f"{of_project}/webhooks/{hook['webhook_id']}/test")
    await user.post("/api/auth/recovery", json={"email": "user@example.org"})
    await user.post("/api/auth/oidc/start", json={})
    upload = (await user.post(f"{of_project}/uploads", json={"name": "a.txt", "size": 1})).json()
    content = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    await user.patch(f"{of_project}/uploads/{upload['upload_id']}", content=b"a", headers=content)
    for token in (secrets["refresh token"], secrets["refresh token"]):
        reply = await user.post("/api/auth/refresh", json={"refresh_token": token})
        found.answers.pop()
        if reply.is_success:
            secrets["next refresh token"] = reply.json()["refresh_token"]
    for model in ("own/m", "scripted/script"):
        said = {"model": model, "messages": [{"role": "user", "content": "A story"}]}
        key = {"Authorization": f"Bearer {secrets['API key']}"}
        await boss.post("/v1/chat/completions", json=said, headers=key)
    again = await signed_in_again(app)
    again.event_hooks["response"].append(found.hear)
    ids = {"project_id": project, "webhook_id": hook["webhook_id"], "link_id": link}
    for client in (again, boss):
        found.routes += await _read_all(app, client, ids)
    for client in (user, boss, again):
        await client.aclose()


async def signed_in_again(app: FastAPI) -> httpx.AsyncClient:
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://testserver")
    reply = await client.post("/api/auth/token", data={"username": "user", "password": PASSWORD})
    client.headers["Authorization"] = f"Bearer {reply.json()['access_token']}"
    return client


async def _read_all(app: FastAPI, client: httpx.AsyncClient, ids: dict[str, str]) -> int:
    """Ask every GET route that ends; return how many answered with something."""
    answered = 0
    for path, methods in app.openapi()["paths"].items():
        if "get" not in methods or path.endswith(ENDLESS):
            continue
        for name in [part[1:].partition("}")[0] for part in path.split("/") if part[:1] == "{"]:
            path = path.replace(f"{{{name}}}", ids.get(name, "x"))  # noqa: PLW2901
        async with asyncio.timeout(20):
            answered += (await client.get(path)).is_success
    return answered


async def test_no_secret_is_found_anywhere(searched: Searched) -> None:
    files = [
        one for one in searched.folder.rglob("*") if one.is_file() and not one.name.endswith(".key")
    ]
    places = {str(one.relative_to(searched.folder)): one.read_bytes() for one in files}
    assert any(name.endswith("diono.sqlite") for name in places)
    places["answers"] = "\n".join(searched.answers).encode()
    places["logs"] = "\n".join(searched.logs).encode()
    assert len(searched.secrets) >= 12
    hits = [
        (kind, place)
        for kind, secret in searched.secrets.items()
        for place, content in places.items()
        if secret.encode() in content or json.dumps(secret)[1:-1].encode() in content
    ]
    assert hits == []


async def test_they_were_really_used(searched: Searched) -> None:
    """Else nothing would be proven."""
    sent = "\n".join(searched.sent)
    assert f"Bearer {searched.secrets['provider key']}" in sent
    assert "webhook-signature" in sent.lower()
    assert "Credential=AKIACANARY" in sent
    assert "next refresh token" in searched.secrets
    assert searched.routes > 60
    assert searched.logs
