"""Connections to the outside: model providers, webhooks and a drive, on servers of this machine."""

import json
import re
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
import uvicorn
from contract.drives_fake import dav
from contract.drives_fake.cloud import Cloud
from contract.fake_dialects import OpenAiDialect
from contract.fake_provider import GOOD, FakeProvider
from contract.hooks_rigs import Receiver, receiving
from e2e.visitor import Visitor
from playwright.async_api import Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

pytestmark = [pytest.mark.browser, pytest.mark.engine, pytest.mark.slow]

PATIENCE_SECONDS = 30.0
KEY = "sk-canary-4d1f0c9a7b3e-key"
METHODS = ["GET", "POST", "PUT", "DELETE", "PROPFIND", "REPORT", "HEAD"]


@dataclass
class DavServer:
    """A WebDAV server with one account, in a thread of its own."""

    cloud: Cloud
    url: str


@pytest.fixture
def dav_server() -> Iterator[DavServer]:
    cloud = Cloud()
    cloud.passwords["me"] = "app-password-1"

    async def endpoint(request: Request) -> Response:
        return dav.answer(cloud, request, await request.body())

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    app = Starlette(routes=[Route("/{path:path}", endpoint, methods=METHODS)])
    config = uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield DavServer(cloud, f"http://localhost:{listener.getsockname()[1]}")
    server.should_exit = True
    thread.join(10)
    listener.close()


@pytest.fixture
async def model_server() -> AsyncIterator[FakeProvider]:
    async with FakeProvider(OpenAiDialect()).running() as server:
        yield server


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as found:
        yield found


async def _no_wider_than_the_screen(page: Page) -> None:
    script = "document.scrollingElement.scrollWidth <= document.scrollingElement.clientWidth"
    assert await page.evaluate(script)


async def test_a_provider_is_added_tried_changed_and_removed(
    any_visitor: Visitor, model_server: FakeProvider
) -> None:
    visitor, page = any_visitor, any_visitor.page
    await visitor.sign_in()
    await page.goto(f"{visitor.server.url}/providers")
    await page.get_by_role("button", name="New provider").click()
    form = page.get_by_role("form", name="New provider")
    await form.get_by_label("Name").fill("work")
    await form.get_by_label("Address").fill("http://169.254.169.254/v1")
    await form.get_by_label("Key", exact=True).fill(KEY)
    await form.get_by_label("Models to offer").fill("good-*")
    await form.get_by_role("button", name="Add provider").click()
    await expect(form.get_by_role("alert")).to_contain_text("169.254.169.254")
    url = model_server.url.replace("127.0.0.1", "localhost")
    await form.get_by_label("Address").fill(f"{url}/v1")
    await form.get_by_role("button", name="Add provider").click()

    row = page.get_by_test_id("provider").filter(has_text="work")
    await row.get_by_role("button", name="Test work").click()
    await expect(row).to_contain_text("It works")
    await expect(row).to_contain_text(f"{GOOD} answered in")
    assert KEY not in await page.content()
    assert await visitor.accessibility_problems() == []
    await _no_wider_than_the_screen(page)

    await model_server.stop()
    await row.get_by_role("button", name="Test work").click()
    await expect(row.get_by_test_id("provider-test-detail")).to_be_visible()
    await expect(row).to_contain_text("It does not work")

    await row.get_by_role("button", name="Change work").click()
    form = page.get_by_role("form", name="Change work")
    await form.get_by_label("Models to offer").fill("")
    await form.get_by_role("button", name="Save").click()
    await expect(row).to_contain_text("offers all its models")
    await row.get_by_role("button", name="Remove work").click()
    await page.get_by_role("button", name="Remove", exact=True).click()
    await expect(page.get_by_text("No providers yet")).to_be_visible()


async def test_a_webhook_of_a_project_is_added_tested_and_switched_off(
    visitor: Visitor, receiver: Receiver
) -> None:
    await visitor.sign_in()
    page = visitor.page
    project = await visitor.call("POST", "/api/projects", name="Told outside")
    await page.goto(f"{visitor.server.url}/projects/{project['project_id']}/settings")
    await page.get_by_role("button", name="New webhook").click()
    form = page.get_by_role("form", name="New webhook")
    await form.get_by_label("Name").fill("Chat room")
    await form.get_by_label("Address").fill(receiver.url)
    await form.get_by_label("A task failed").check()
    await form.get_by_role("button", name="Add webhook").click()
    secret = await page.get_by_test_id("webhook-secret").text_content() or ""
    await page.get_by_role("button", name="I have copied it").click()
    assert secret not in await page.content()

    row = page.get_by_test_id("webhook")
    await expect(row).to_contain_text("task.failed")
    receiver.script.append("500")
    await row.get_by_role("button", name="Test Chat room").click()
    await expect(row).to_contain_text("The ping did not arrive")
    await row.get_by_role("button", name="Test Chat room").click()
    await expect(row).to_contain_text("The ping arrived")
    assert receiver.got[-1].is_signed_with(secret)
    await row.get_by_role("button", name="Log of Chat room").click()
    deliveries = row.get_by_test_id("delivery")
    await expect(deliveries).to_have_count(2)
    await deliveries.first.get_by_role("button", name="Send again: ping").click()
    ids = [message.id for message in await receiver.wait_for(3, PATIENCE_SECONDS)]
    assert len(set(ids)) < len(ids)
    assert json.loads(receiver.got[-1].body)["type"] == "ping"
    assert await visitor.accessibility_problems() == []

    await row.get_by_role("button", name="Switch off Chat room").click()
    await expect(row).to_contain_text("switched off")
    await row.get_by_role("button", name="Switch on Chat room").click()
    await expect(row.get_by_role("button", name="Switch off Chat room")).to_be_visible()
    await row.get_by_role("button", name="Remove Chat room").click()
    await page.get_by_role("button", name="Remove", exact=True).click()
    await expect(page.get_by_text("No webhooks yet")).to_be_visible()

    await page.goto(f"{visitor.server.url}/account")
    await page.get_by_label("A task waits for an answer").check()
    await page.reload()
    await expect(page.get_by_label("A task waits for an answer")).to_be_checked()
    await page.get_by_label("A task waits for an answer").uncheck()
    await expect(page.get_by_label("A task waits for an answer")).to_be_enabled()


async def _linked(page: Page, url: str, server: DavServer) -> None:
    await page.goto(f"{url}/drives")
    await page.get_by_role("button", name="Connect WebDAV or Nextcloud").click()
    form = page.get_by_role("form", name="Connect WebDAV or Nextcloud")
    await form.get_by_label("How").select_option("password")
    await form.get_by_label("Address of the server").fill(server.url)
    await form.get_by_label("User name there").fill("me")
    await form.get_by_label("App password").fill("wrong")
    await form.get_by_role("button", name="Connect").click()
    await expect(form.get_by_role("alert")).to_be_visible()
    await form.get_by_label("App password").fill("app-password-1")
    await form.get_by_role("button", name="Connect").click()
    await expect(page.get_by_test_id("drive-link")).to_contain_text("linked")


async def test_a_drive_is_linked_browsed_imported_followed_and_unlinked(
    visitor: Visitor, dav_server: DavServer
) -> None:
    cloud, url = dav_server.cloud, visitor.server.url
    folder = cloud.put("Reports", None)
    cloud.put("spring.md", b"# Spring\n\nIt rained.\n", folder.node_id)
    cloud.put("summer.md", b"# Summer\n\nIt did not.\n", folder.node_id)
    cloud.put("loose.txt", b"A note.\n")
    await visitor.sign_in()
    page = visitor.page
    await _linked(page, url, dav_server)
    assert await visitor.accessibility_problems() == []

    project = await visitor.call("POST", "/api/projects", name="Weather")
    await page.goto(f"{url}/projects/{project['project_id']}/files")
    await page.get_by_label("Drive", exact=True).select_option(index=1)
    await page.get_by_role("button", name="Open Reports").click()
    await page.get_by_label("Choose spring.md").check()
    await page.get_by_role("button", name="Bring 1 chosen").click()
    job = page.get_by_test_id("drive-job").filter(has_text="Brought from a drive")
    await expect(job).to_contain_text("1 of 1 file")
    library = page.get_by_test_id("library-item")
    await expect(library.filter(has_text="spring.md")).to_contain_text("from a drive")

    await page.get_by_role("button", name="Follow this folder").click()
    sync = page.get_by_test_id("drive-sync")
    await expect(sync).to_contain_text("Reports")
    await expect(sync).to_contain_text(re.compile(r"2 files · in step (just|\d)"))
    await expect(library.filter(has_text="summer.md")).to_be_visible()
    # A message that fades away has no contrast of its own any more.
    await expect(page.locator("[data-sonner-toast]")).to_have_count(0)
    assert await visitor.accessibility_problems() == []

    await page.get_by_role("button", name="Top folder").click()
    option = page.get_by_label("Put into Top folder").locator("option", has_text="summer.md")
    await page.get_by_label("Put into Top folder").select_option(
        await option.first.get_attribute("value") or ""
    )
    await page.get_by_role("button", name="Put it on the drive").click()
    await expect(
        page.get_by_test_id("drive-job").filter(has_text="Put onto a drive")
    ).to_contain_text("done")
    assert cloud.at("summer.md") is not None

    cloud.passwords.clear()
    await page.get_by_role("button", name="Open Reports").click()
    await expect(page.get_by_text("Could not read the drive")).to_be_visible()
    await page.goto(f"{url}/drives")
    link = page.get_by_test_id("drive-link")
    await expect(link).to_contain_text("broken")
    await link.get_by_role("button", name="Reconnect WebDAV or Nextcloud").click()
    await expect(page.get_by_role("form", name="Connect WebDAV or Nextcloud")).to_be_visible()
    await link.get_by_role("button", name=re.compile("^Unlink")).click()
    await page.get_by_role("button", name="Unlink", exact=True).click()
    await expect(page.get_by_text("You have no drive")).to_have_count(0)
    await expect(page.get_by_text("No drives yet")).to_be_visible()


async def test_an_admin_enters_a_drive_client(visitor: Visitor) -> None:
    await visitor.sign_in()
    page = visitor.page
    await page.goto(f"{visitor.server.url}/admin")
    row = page.get_by_test_id("drive-client").filter(has_text="Dropbox")
    await row.get_by_role("button", name="Enter client at Dropbox").click()
    form = row.get_by_role("form", name="Client at Dropbox")
    await form.get_by_label("Client id").fill("client-1")
    await form.get_by_label("Client secret").fill("client-secret-1")
    await form.get_by_role("button", name="Save").click()
    await expect(row.get_by_text("set up", exact=True)).to_be_visible()
    await page.goto(f"{visitor.server.url}/drives")
    offer = page.get_by_test_id("drive-provider").filter(has_text="Dropbox")
    await offer.get_by_role("button", name="Connect Dropbox").click()
    await offer.get_by_role("button", name="Connect", exact=True).click()
    await expect(offer.get_by_role("link", name=re.compile("^Open"))).to_be_visible()
    await expect(offer.get_by_role("textbox", name="Code")).to_be_visible()
    await page.goto(f"{visitor.server.url}/drives?drive_error=connect_refused")
    await expect(page.get_by_text("The drive was not linked")).to_be_visible()
    await page.goto(f"{visitor.server.url}/admin")
    await row.get_by_role("button", name="Forget the client at Dropbox").click()
    await page.get_by_role("button", name="Forget it").click()
    await expect(row.get_by_text("not set up")).to_be_visible()
