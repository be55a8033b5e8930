"""Webhooks and notifications at the API, from a task's end to the receiver and the letter box."""

import asyncio
import email
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from email import policy
from typing import Any

import httpx
import pytest
import pytest_asyncio
from aiosmtpd.controller import Controller
from contract.hooks_rigs import Receiver, data_of, receiving
from fastapi import FastAPI
from sqlalchemy import update

from diono.features.accounts.service import Accounts
from diono.features.accounts.tables import User
from diono.main import create_app
from diono.settings import Settings

pytestmark = pytest.mark.asyncio(loop_scope="module")

PASSWORD = "correct horse battery"


class LetterBox:
    """A mail server that keeps what it gets."""

    def __init__(self) -> None:
        self.letters: list[Any] = []
        self.came = threading.Event()
        self.port = 0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.letters.append(email.message_from_bytes(envelope.content, policy=policy.default))
        self.came.set()
        return "250 OK"


@pytest.fixture(scope="module")
def letter_box() -> Iterator[LetterBox]:
    box = LetterBox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        box.port = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    yield box
    controller.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(
    tmp_path_factory: pytest.TempPathFactory, letter_box: LetterBox
) -> AsyncIterator[FastAPI]:
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("hooks") / "data", ollama_host="off", workers="0",
        outbound_allow=["localhost"], smtp_url=f"smtp+plain://127.0.0.1:{letter_box.port}",
        mail_from="diono@example.com",
    )  # fmt: skip
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


async def _client(app: FastAPI, name: str, *, is_admin: bool = False) -> httpx.AsyncClient:
    accounts: Accounts = app.state.accounts
    await accounts.create(name, PASSWORD, is_admin=is_admin)
    transport = httpx.ASGITransport(app=app)
    client = httpx.AsyncClient(transport=transport, base_url="http://testserver")
    form = {"username": name, "password": PASSWORD}
    reply = await client.post("/api/auth/token", data=form)
    client.headers["Authorization"] = f"Bearer {reply.json()['access_token']}"
    return client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clients(app: FastAPI) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    made = {
        name: await _client(app, name, is_admin=name == "boss") for name in ("ann", "ben", "boss")
    }
    yield made
    for client in made.values():
        await client.aclose()


@pytest_asyncio.fixture(loop_scope="module")
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def _cancelled_task(client: httpx.AsyncClient, project_id: str) -> str:
    """A task that ends at once: it is cancelled before anybody takes it."""
    body = {"prompt": "A thing\nof use", "kind": "chat", "project_id": project_id}
    task_id = (await client.post("/api/tasks", json=body)).json()["task_id"]
    await client.post(f"/api/tasks/{task_id}/cancel")
    return task_id


async def _project(client: httpx.AsyncClient) -> str:
    return (await client.post("/api/projects", json={"name": "Hooks"})).json()["project_id"]


async def test_a_tasks_end_reaches_the_projects_and_the_admins_webhooks(
    clients: dict[str, httpx.AsyncClient], receiver: Receiver
) -> None:
    ann, boss = clients["ann"], clients["boss"]
    project_id = await _project(ann)
    path = f"/api/projects/{project_id}/webhooks"
    hook = {"name": "Room", "url": receiver.url, "events": ["task.cancelled"]}
    made = (await ann.post(path, json=hook)).json()
    for_all = (await boss.post("/api/webhooks", json={**hook, "name": "All"})).json()
    task_id = await _cancelled_task(ann, project_id)
    got = await receiver.wait_for(2)
    secrets = {made["secret"], for_all["secret"]}
    assert len(secrets) == 2
    for message in got:
        assert any(message.is_signed_with(secret) for secret in secrets)
        assert json.loads(message.body)["type"] == "task.cancelled"
        data = data_of(message)
        assert (data["task_id"], data["project_id"]) == (task_id, project_id)
        assert (data["status"], data["title"]) == ("CANCELLED", "A thing")
    assert got[0].id == got[1].id
    await boss.delete(f"/api/webhooks/{for_all['webhook_id']}")
    # The secret was shown once.
    listed = await ann.get(path)
    assert made["secret"] not in listed.text
    renewed = (await ann.post(f"{path}/{made['webhook_id']}/secret")).json()
    assert renewed["secret"] not in secrets


async def test_the_log_shows_what_was_sent_and_sends_it_again(
    clients: dict[str, httpx.AsyncClient], receiver: Receiver
) -> None:
    ann = clients["ann"]
    project_id = await _project(ann)
    path = f"/api/projects/{project_id}/webhooks"
    made = (await ann.post(path, json={"name": "Log", "url": receiver.url})).json()
    hook = f"{path}/{made['webhook_id']}"
    receiver.script = ["500"]
    ping = (await ann.post(f"{hook}/test")).json()
    assert (ping["state"], ping["kind"]) == ("failed", "ping")
    assert ping["attempts"][0]["status"] == 500
    assert (await ann.post(f"{hook}/test")).json()["state"] == "delivered"
    again = await ann.post(f"{hook}/deliveries/{ping['delivery_id']}/redeliver")
    assert again.status_code == 202
    got = await receiver.wait_for(3)
    assert got[0].id == got[2].id
    page = (await ann.get(f"{hook}/deliveries", params={"limit": 2})).json()
    assert len(page["items"]) == 2
    older = await ann.get(f"{hook}/deliveries", params={"cursor": page["next_cursor"]})
    assert [one["delivery_id"] for one in older.json()["items"]] == [ping["delivery_id"]]
    missing = await ann.post(f"{hook}/deliveries/dlv_0/redeliver")
    assert (missing.status_code, missing.json()["error"]) == (404, "delivery_not_found")


async def test_others_neither_see_nor_touch_it(
    clients: dict[str, httpx.AsyncClient], receiver: Receiver
) -> None:
    ann, ben = clients["ann"], clients["ben"]
    project_id, other = await _project(ann), await _project(ben)
    path = f"/api/projects/{project_id}/webhooks"
    made = (await ann.post(path, json={"name": "Mine", "url": receiver.url})).json()
    tail = f"/webhooks/{made['webhook_id']}"
    assert (await ben.get(path)).status_code == 404
    for base in (f"/api/projects/{project_id}", f"/api/projects/{other}"):
        assert (await ben.delete(f"{base}{tail}")).status_code == 404
        assert (await ben.post(f"{base}{tail}/test")).status_code == 404
        assert (await ben.get(f"{base}{tail}/deliveries")).status_code == 404
    assert (await ben.get("/api/webhooks")).status_code == 403
    hook = {"name": "All", "url": receiver.url}
    assert (await ben.post("/api/webhooks", json=hook)).status_code == 403
    await _cancelled_task(ben, other)
    assert (await ann.post(f"/api/projects/{project_id}{tail}/test")).status_code == 200
    assert [json.loads(message.body)["type"] for message in receiver.got] == ["ping"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"url": "http://127.0.0.1/"}, "address_refused"),
        ({"url": "http://[::ffff:10.0.0.1]/"}, "address_refused"),
        ({"url": "http://[64:ff9b::7f00:1]/"}, "address_refused"),
        ({"url": "http://2130706433/"}, "address_refused"),
        ({"url": "http://0177.0.0.1/"}, "address_refused"),
        ({"url": "http://169.254.169.254/latest/meta-data"}, "address_refused"),
        ({"url": "gopher://localhost/"}, "address_refused"),
        ({"events": ["task.exploded"]}, "invalid_request"),
        ({"name": ""}, "invalid_request"),
    ],
)
async def test_what_cannot_be_a_webhook_is_refused(
    clients: dict[str, httpx.AsyncClient], change: dict[str, Any], code: str
) -> None:
    ann = clients["ann"]
    path = f"/api/projects/{await _project(ann)}/webhooks"
    body = {"name": "Odd", "url": "http://localhost/hook", **change}
    reply = await ann.post(path, json=body)
    assert (reply.status_code, reply.json()["error"]) == (422, code), reply.text


async def test_mail_is_sent_to_who_wants_it(
    app: FastAPI, clients: dict[str, httpx.AsyncClient], letter_box: LetterBox
) -> None:
    ann, ben = clients["ann"], clients["ben"]
    shown = (await ann.get("/api/me/notifications")).json()
    assert shown == {"mail_events": [], "is_mail_on": True, "address": None}
    wanted = {"mail_events": ["task.cancelled", "task.cancelled"]}
    for client, name in ((ann, "ann"), (ben, "ben")):
        await client.put("/api/me/notifications", json=wanted)
        if name == "ann":
            async with app.state.webhooks._database.write() as session:
                change = update(User).where(User.username == name)
                address = {"email": "ann@example.com", "is_email_verified": True}
                await session.execute(change.values(**address))
    shown = (await ann.get("/api/me/notifications")).json()
    assert shown["address"] == "ann@example.com"
    assert shown["mail_events"] == ["task.cancelled"]
    # Ben has no verified address: nothing is sent, and nothing fails.
    await _cancelled_task(ben, await _project(ben))
    task_id = await _cancelled_task(ann, await _project(ann))
    assert await asyncio.to_thread(letter_box.came.wait, 10)
    (letter,) = letter_box.letters
    assert letter["To"] == "ann@example.com"
    assert letter["Subject"] == "Diono: A thing was cancelled"
    assert task_id in letter.get_content()
