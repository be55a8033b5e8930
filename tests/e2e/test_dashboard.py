"""The dashboard in Chromium against the real server and real sandboxes."""

import asyncio
import re
import zipfile
from pathlib import Path

import pytest
from e2e.visitor import Visitor
from playwright.async_api import WebSocketRoute, expect

pytestmark = [pytest.mark.browser, pytest.mark.engine, pytest.mark.slow]

BOOKS = "A web app with an API that keeps the books I own, stored in SQLite"
BUILD_MILLISECONDS = 120_000
RUBBISH = "scripted/rubbish"


async def has_status(visitor: Visitor, text: str, milliseconds: int = BUILD_MILLISECONDS) -> None:
    await expect(visitor.page.get_by_test_id("task-status")).to_have_text(
        text, timeout=milliseconds
    )


async def test_the_one_time_password_opens_the_dashboard(visitor: Visitor) -> None:
    page = visitor.page
    await page.goto(visitor.server.url)
    await visitor.sign_in_by_form()
    await expect(page.get_by_role("heading", name="What should be built?")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("heading", name="What should be built?")).to_be_visible()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


async def test_a_wrong_password_is_refused_with_a_reason(visitor: Visitor) -> None:
    page = visitor.page
    await page.goto(visitor.server.url)
    await page.get_by_label("Password").fill("not the password")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_contain_text("Wrong user name or password")
    await expect(page.get_by_label("What should be built?")).to_have_count(0)


async def test_an_ended_session_leads_back_to_the_same_page(visitor: Visitor) -> None:
    page = visitor.page
    await page.goto(visitor.server.url)
    await visitor.sign_in_by_form()
    await page.get_by_role("link", name="New build", exact=True).wait_for()
    task = await visitor.build(BOOKS, RUBBISH)
    await page.route(
        "**/api/**", lambda route: route.fulfill(status=401, json={"error": "expired"})
    )
    await page.reload()
    await expect(page.get_by_text("Your session has ended")).to_be_visible()
    await page.unroute("**/api/**")
    await page.goto(f"{visitor.server.url}/tasks/{task}")
    await visitor.sign_in_by_form()
    await expect(page.get_by_role("heading", name=BOOKS)).to_be_visible()


async def test_a_build_is_watched_proven_read_tried_and_downloaded(
    visitor: Visitor, tmp_path: Path
) -> None:
    await visitor.sign_in()
    page = visitor.page
    await visitor.build(BOOKS)
    await expect(page.get_by_test_id("thinking")).to_contain_text("tokens/s")
    await expect(page.get_by_role("progressbar", name="Progress")).to_be_visible()
    await has_status(visitor, "Succeeded")

    receipt = page.get_by_test_id("receipt")
    await expect(receipt.get_by_role("heading", name="Built and checked")).to_be_visible()
    checks = receipt.get_by_test_id("check")
    assert await checks.count() >= 3
    await expect(receipt.locator('[data-outcome="failed"]')).to_have_count(0)

    await page.get_by_role("tab", name="Files").click()
    await (
        page.get_by_role("navigation", name="Files")
        .get_by_role("button", name="entities.py")
        .click()
    )
    await expect(page.get_by_test_id("code")).to_contain_text("book")
    await expect(page.get_by_test_id("code")).to_have_attribute("data-highlighted", "true")

    await page.get_by_role("tab", name="Preview").click()
    frame = page.get_by_title("Preview of the program")
    source = await frame.get_attribute("src") or ""
    assert not source.startswith(visitor.server.url)
    await expect(frame.content_frame.locator("h1")).to_be_visible(timeout=30_000)

    async with page.expect_download() as downloading:
        await page.get_by_role("button", name="Download zip").click()
    archive = tmp_path / "program.zip"
    await (await downloading.value).save_as(archive)
    names = zipfile.ZipFile(archive).namelist()
    assert any(name.endswith("entities.py") for name in names)


async def test_a_reload_in_the_middle_loses_no_event(visitor: Visitor) -> None:
    await visitor.sign_in()
    page = visitor.page
    await visitor.build(BOOKS)
    steps = page.get_by_role("region", name="Steps")
    await expect(steps.get_by_role("heading", name=re.compile("Product manager"))).to_be_visible()
    await page.reload()
    await expect(steps.get_by_role("heading", name=re.compile("Product manager"))).to_be_visible()
    await has_status(visitor, "Succeeded")
    live = await steps.get_by_role("listitem").count()
    await page.reload()
    await expect(steps.get_by_role("listitem")).to_have_count(live)


@pytest.mark.nightly
async def test_without_websockets_the_timeline_is_polled(visitor: Visitor) -> None:
    async def refuse(socket: WebSocketRoute) -> None:
        await socket.close()

    await visitor.page.route_web_socket(re.compile("/api/ws"), refuse)
    await visitor.sign_in()
    await visitor.build(BOOKS)
    await expect(visitor.page.get_by_text("Live, by polling")).to_be_visible()
    await has_status(visitor, "Succeeded")


async def test_a_killed_server_is_waited_for_and_the_build_goes_on(visitor: Visitor) -> None:
    await visitor.sign_in()
    page = visitor.page
    await visitor.build(BOOKS)
    await expect(page.get_by_test_id("thinking")).to_be_visible()
    visitor.server.kill()
    await expect(page.get_by_text("No connection; trying again")).to_be_visible()
    await asyncio.to_thread(visitor.server.start)
    await expect(page.get_by_text("Live", exact=True)).to_be_visible(timeout=45_000)
    await has_status(visitor, "Succeeded")


async def test_a_failing_build_ends_with_an_honest_receipt(visitor: Visitor) -> None:
    await visitor.sign_in()
    page = visitor.page
    await visitor.build("A command-line program that prints the prime factors of n", RUBBISH)
    await has_status(visitor, "Failed")
    receipt = page.get_by_test_id("receipt")
    await expect(
        receipt.get_by_role("heading", name="Not everything that was asked for works")
    ).to_be_visible()
    await expect(receipt).to_contain_text("only the blueprint itself runs")
    inspection = receipt.get_by_test_id("inspection")
    await expect(inspection.get_by_test_id("score")).to_be_visible()
    await inspection.get_by_role("button", name="Examine now").click()
    await expect(inspection.get_by_role("button", name="Examine now")).to_be_enabled()
    await expect(inspection).to_contain_text("Proven by checks")
    assert await visitor.accessibility_problems() == []
    earlier = page.get_by_role("navigation", name="Earlier builds")
    await expect(
        earlier.get_by_role("link", name=re.compile("Failed: .*prime factors")).first
    ).to_be_visible()


async def test_a_build_can_be_cancelled(visitor: Visitor) -> None:
    await visitor.sign_in()
    page = visitor.page
    await visitor.build(BOOKS)
    await expect(page.get_by_test_id("thinking")).to_be_visible()
    await page.get_by_role("button", name="Cancel", exact=True).click()
    await page.get_by_role("button", name="Cancel build").click()
    await has_status(visitor, "Cancelled", 30_000)


async def test_bad_input_is_answered_with_the_way_out(visitor: Visitor) -> None:
    await visitor.sign_in()
    page = visitor.page
    await page.goto(visitor.server.url)
    await page.get_by_label("What should be built?").fill("x" * 20_000)
    await page.get_by_role("button", name="Build it").click()
    await expect(page.get_by_role("alert")).to_contain_text("prompt_too_long")
    await page.goto(f"{visitor.server.url}/tasks/tsk_unknown")
    await expect(page.get_by_role("alert")).to_contain_text("task_not_found")


async def test_every_page_is_accessible(any_visitor: Visitor) -> None:
    visitor, page = any_visitor, any_visitor.page
    await page.goto(visitor.server.url)
    await expect(page.get_by_label("Password")).to_be_visible()
    assert await visitor.accessibility_problems() == []
    await visitor.sign_in()
    await page.goto(visitor.server.url)
    await expect(page.get_by_label("What should be built?")).to_be_visible()
    assert await visitor.accessibility_problems() == []
    await visitor.build("A command-line program that prints the prime factors of n", RUBBISH)
    await has_status(visitor, "Failed")
    for tab in ("Receipt", "Files", "Preview"):
        await page.get_by_role("tab", name=tab).click()
        assert await visitor.accessibility_problems() == []


async def test_the_page_fits_a_phone(any_visitor: Visitor) -> None:
    visitor, page = any_visitor, any_visitor.page
    await visitor.sign_in()
    await page.goto(visitor.server.url)
    await expect(page.get_by_label("What should be built?")).to_be_visible()
    overflow = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow == 0


async def test_keys_are_enough_to_describe_and_start(visitor: Visitor) -> None:
    await visitor.sign_in()
    page = visitor.page
    await page.goto(visitor.server.url)
    await page.get_by_label("What should be built?").focus()
    await page.keyboard.type("A program")
    await page.keyboard.press("Control+Enter")
    await page.wait_for_url("**/tasks/*")
    await expect(page.get_by_role("heading", name="A program")).to_be_visible()
